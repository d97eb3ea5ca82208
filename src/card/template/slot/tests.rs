//! Marks as drawing programs write them, and mistakes in them.

use super::*;

fn read_all(xml: &str) -> Result<Mark, String> {
    let document = roxmltree::Document::parse(xml).unwrap();
    let node = document.root_element();
    read(&mark(node).ok_or("no mark")?, node, 1.0)
}

#[test]
fn marks_survive_what_drawing_programs_make_of_them() {
    for id in ["tintype:date", "tintype-date", "tintype_x3A_date", "tintype:date_2", "tintype:date size=28"] {
        let Ok(Mark::Slot(Content::Text(pieces, setting))) = read_all(&format!(r#"<rect id="{id}"/>"#)) else {
            panic!("{id}");
        };
        assert_eq!((pieces, setting.largest.to_string()), (vec![Piece::Field(Field::Date)], "28".to_owned()), "{id}");
    }
    let labelled = format!(r#"<rect xmlns:inkscape="{INKSCAPE}" id="rect9" inkscape:label="tintype:if-cover"/>"#);
    assert_eq!(read_all(&labelled), Ok(Mark::Condition(Field::Cover, true)));
    assert_eq!(read_all("<rect id='title'/>"), Err("no mark".to_owned()));
}

#[test]
fn mistakes_name_what_is_known() {
    let error = |xml: &str| read_all(xml).unwrap_err();
    assert_eq!(error("<rect id='tintype:titel'/>"), "there is no field `titel`; did you mean `title`?");
    assert_eq!(
        error("<rect id='tintype:title' data-min_size='2'/>"),
        "there is no setting `min_size`; did you mean `min-size`?"
    );
    assert_eq!(error("<rect id='tintype:title' data-size='2'/>"), "size is to be a number between 8 and 300, not `2`");
    assert_eq!(error("<rect id='tintype:title' data-align='up'/>").split(',').next(), Some("align is one of start"));
    assert!(error("<rect id='tintype:title' fill='url(#g)'/>").starts_with("text takes a plain colour"));
    assert!(error("<rect id='tintype:text'/>").contains("data-text"));
    assert_eq!(error("<rect id='tintype:text' data-text='{cover}'/>"), "{cover} is a picture and no text");
}

#[test]
fn texts_are_made_of_fields_and_what_stands_between() {
    let expected = vec![Piece::Field(Field::Author), Piece::Literal(" · ".to_owned()), Piece::Field(Field::Date)];
    assert_eq!(pieces("{author} · {date}"), Ok(expected));
    assert!(pieces("{author").is_err());
}
