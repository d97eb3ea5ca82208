const pair = ["שלום", "עולם"]; // first is hello, second is world
const both = { first: "مرحبا", second: "بالعالم" };
greet("אבג", 1, "דהו", 2, "زحط", 3);
const path = `/${"راه"}/${"خانه"}/index.html`;
// הערה שלמה מימין לשמאל
const שלום = pair[0] + " (" + both.first + ")";
