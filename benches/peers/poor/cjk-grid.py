# Two cells a wide character: every bar below stands in one column.
table = [
    "abcdefgh|ijkl|",
    "日本語表|漢字|",
    "한국어판|글자|",
    "简体中文|汉字|",
    "ﾊﾝｶｸｶﾅ |ab  |",
    "１２３４|ＡＢ|",
]
名前 = {"東京": 1, "ab": 2, "大阪": 3}
