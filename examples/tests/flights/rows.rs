//! Reading the file.

use std::io::Write;
use std::path::Path;

use casty_examples::flights::rows::{self, Flight, RowsError};
use flate2::{Compression, write::GzEncoder};

use crate::sample::{FIRST_ROW, HEADER, folder, january};

fn parse(text: &str) -> Result<Vec<Flight>, RowsError> {
    rows::parse(text.as_bytes(), Path::new("some.csv"))
}

fn failure(rows: &[&str]) -> String {
    parse(&format!("{HEADER}\n{}\n", rows.join("\n"))).unwrap_err().to_string()
}

#[test]
fn a_row_is_read_by_the_names_of_its_columns() {
    let expected = Flight {
        tailnum: "N14228".into(),
        carrier: "UA".into(),
        number: "1545".into(),
        origin: "EWR".into(),
        dest: "IAH".into(),
        dep_time: Some(517),
        dep_delay_min: Some(2),
        distance_miles: 1400,
    };
    let usual = format!("{HEADER}\n{FIRST_ROW}\n");
    let moved = "dest,distance,tailnum,dep_delay,flight,carrier,origin,dep_time\nIAH,1400,N14228,2,1545,UA,EWR,517";
    for text in [usual.as_str(), moved] {
        assert_eq!(parse(text).unwrap(), std::slice::from_ref(&expected));
    }
}

#[test]
fn na_is_an_aircraft_and_an_unknown_time() {
    let row = "2013,1,1,NA,1630,NA,NA,1815,NA,EV,4308,NA,EWR,RDU,NA,416,16,30,2013-01-01T21:00:00Z";
    let flight = parse(&format!("{HEADER}\n{row}")).unwrap().remove(0);
    assert_eq!((flight.tailnum.as_str(), flight.dep_time, flight.dep_delay_min), ("NA", None, None));
    assert_eq!(flight.distance_miles, 416);
}

#[test]
fn quotes_crlf_and_a_byte_order_mark_change_nothing() {
    let plain = parse(&format!("{HEADER}\n{FIRST_ROW}\n{FIRST_ROW}\n")).unwrap();
    let quoted = FIRST_ROW.split(',').map(|field| format!("\"{field}\"")).collect::<Vec<_>>().join(",");
    assert_eq!(parse(&format!("\u{feff}{HEADER}\r\n{quoted}\r\n\r\n{quoted}")).unwrap(), plain);
    let odd = FIRST_ROW.replace("N14228", "\"N1,\"\"4\"\"\r\n228\"");
    assert_eq!(parse(&format!("{HEADER}\n{odd}")).unwrap()[0].tailnum, "N1,\"4\"\r\n228");
}

#[test]
fn a_packed_file_is_known_by_its_first_bytes() {
    let text = format!("{HEADER}\n{FIRST_ROW}\n");
    let folder = folder("a_packed_file_is_known_by_its_first_byte");
    let (plain, packed) = (folder.join("plain.gz"), folder.join("packed.csv"));
    std::fs::write(&plain, &text).unwrap();
    // Two members in one file, as `cat a.gz b.gz` makes them.
    let mut bytes = Vec::new();
    for part in text.split_inclusive('\n') {
        let mut encoder = GzEncoder::new(&mut bytes, Compression::default());
        encoder.write_all(part.as_bytes()).unwrap();
        encoder.finish().unwrap();
    }
    std::fs::write(&packed, &bytes).unwrap();
    assert_eq!(rows::read(&plain).unwrap(), rows::read(&packed).unwrap());

    std::fs::write(&packed, &bytes[..bytes.len() - 12]).unwrap();
    let error = rows::read(&packed).unwrap_err();
    assert!(matches!(error, RowsError::Read { .. }), "a torn file is an error: {error}");
    let error = rows::read(&folder.join("absent.csv")).unwrap_err().to_string();
    assert!(error.contains("absent.csv") && error.contains("--input"), "{error}");
}

#[test]
fn a_malformed_value_is_named_with_its_file_line_and_column() {
    let cases = [
        ("1400", "far", "column `distance`: \"far\""),
        ("1400", "-1", "column `distance`: \"-1\""),
        ("1400", "NA", "column `distance`: \"NA\""),
        (",517,", ",5:17,", "column `dep_time`: \"5:17\""),
        (",2,", ",two,", "column `dep_delay`: \"two\""),
        (",2,", ",,", "column `dep_delay`: \"\""),
        ("1545", "UA1545", "column `flight`: \"UA1545\""),
        ("N14228", "", "column `tailnum`: \"\""),
        ("227", "long", "column `air_time`: \"long\""),
        (",517,", ",99999999999,", "column `dep_time`: \"99999999999\""),
    ];
    for (good, bad, named) in cases {
        let error = failure(&[FIRST_ROW, FIRST_ROW, &FIRST_ROW.replacen(good, bad, 1)]);
        assert!(error.contains("some.csv, line 4, ") && error.contains(named), "{error}");
    }
}

#[test]
fn lines_are_counted_as_an_editor_does() {
    let bad = FIRST_ROW.replace("1400", "far");
    let two_lines = FIRST_ROW.replace("N14228", "\"N14\n228\"");
    for (text, line) in [
        (format!("{HEADER}\r\n{FIRST_ROW}\r\n{bad}\r\n"), 3),
        (format!("{HEADER}\n{two_lines}\n{bad}\n"), 4),
        (format!("{HEADER}\n\n\n{FIRST_ROW}\n\n{bad}"), 6),
        (format!("\r\n{HEADER}\r\n{FIRST_ROW}\r\n\r\n{bad}"), 5),
    ] {
        let error = parse(&text).unwrap_err().to_string();
        assert!(error.contains(&format!("line {line}, column `distance`")), "{error}, expected line {line}");
    }
}

#[test]
fn a_row_of_another_length_is_an_error() {
    let short = FIRST_ROW.rsplit_once(',').unwrap().0;
    let error = failure(&[FIRST_ROW, short]);
    assert!(error.contains("line 3: the row has 18 fields, and the header 19"), "{error}");
    let error = failure(&[FIRST_ROW, "garbage"]);
    assert!(error.contains("line 3: the row has 1 fields") && error.contains("garbage"), "{error}");
}

#[test]
fn an_open_quote_is_an_error_where_it_begins_and_not_the_rest_of_the_file() {
    let open = FIRST_ROW.replace("N14228", "\"N14228");
    let error = failure(&[&open, FIRST_ROW, FIRST_ROW]);
    assert!(error.contains("line 2:") && error.len() < 300, "{error}");
}

#[test]
fn what_is_no_text_is_an_error_with_its_line() {
    let mut data = format!("{HEADER}\r\n{FIRST_ROW}\r\n").into_bytes();
    data.extend(FIRST_ROW.replace("N14228", "N?").bytes().map(|byte| if byte == b'?' { 0xff } else { byte }));
    let error = rows::parse(&data, Path::new("some.csv")).unwrap_err().to_string();
    assert!(error.contains("some.csv, line 3:"), "{error}");
}

#[test]
fn a_missing_column_is_named() {
    let error = parse(&format!("{}\n{FIRST_ROW}\n", HEADER.replace("tailnum", "tail"))).unwrap_err().to_string();
    assert!(error.contains("no column `tailnum`"), "{error}");
    let error = parse("").unwrap_err().to_string();
    assert!(error.contains("no column"), "{error}");
    assert!(matches!(parse(HEADER).unwrap_err(), RowsError::Empty { .. }));
}

#[test]
fn the_data_of_january_has_its_known_size() {
    let flights = january();
    assert_eq!(flights.len(), 27_004);
    assert_eq!(flights.iter().filter(|flight| flight.tailnum == "NA").count(), 155);
}
