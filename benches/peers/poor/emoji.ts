// Every kind of emoji that a post may hold
export const moods = {
  plain: "🎉 🚀 🦀",
  heart: "❤️ and ❤ and ☎ and ☎️",
  skin: "👋 👋🏽 👍🏿",
  family: "👩‍👩‍👧‍👦 👩🏽‍💻",
  flags: "🇯🇵 🇺🇦 🏳️‍🌈",
  keycap: "1️⃣ #️⃣",
};

export const ruler = "|2|4|6|8|10";
const party = (n: number) => "🎉".repeat(n); // 🎈 in a comment
