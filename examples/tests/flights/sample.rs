//! Rows to test with.

use std::path::PathBuf;

use casty_examples::flights::rows::{self, Flight};

/// The header of the data.
pub(crate) const HEADER: &str = "year,month,day,dep_time,sched_dep_time,dep_delay,arr_time,sched_arr_time,arr_delay,\
                                 carrier,flight,tailnum,origin,dest,air_time,distance,hour,minute,time_hour";

/// The first row of the data.
pub(crate) const FIRST_ROW: &str =
    "2013,1,1,517,515,2,830,819,11,UA,1545,N14228,EWR,IAH,227,1400,5,15,2013-01-01T10:00:00Z";

/// The file that comes with the example.
pub(crate) fn january_file() -> PathBuf {
    concat!(env!("CARGO_MANIFEST_DIR"), "/data/flights-2013-01.csv.gz").into()
}

/// All rows of it.
pub(crate) fn january() -> Vec<Flight> {
    rows::read(&january_file()).unwrap()
}

/// A flight that departed on time.
pub(crate) fn flight(tailnum: &str, number: u32) -> Flight {
    Flight {
        tailnum: tailnum.into(),
        carrier: "UA".into(),
        number: number.to_string(),
        origin: "EWR".into(),
        dest: "IAH".into(),
        dep_time: Some(517),
        dep_delay_min: Some(0),
        distance_miles: 1400,
    }
}

/// Flights of these aircraft, numbered from 1.
pub(crate) fn flights(tailnums: &[&str]) -> Vec<Flight> {
    (1..).zip(tailnums).map(|(number, tailnum)| flight(tailnum, number)).collect()
}

/// An empty folder for the files of one test.
pub(crate) fn folder(test: &str) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("flights").join(test);
    if folder.exists() {
        std::fs::remove_dir_all(&folder).unwrap();
    }
    std::fs::create_dir_all(&folder).unwrap();
    folder
}
