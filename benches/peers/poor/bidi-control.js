const role = "user";
if (role !== "user‮ ⁦// only for admins⁩ ⁦") {
  grant(session, "admin");
}
const hidden = "a​b‍c﻿d"; // zero widths
const mark = "⁧right⁩ and ‏left";
