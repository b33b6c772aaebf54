//! `cast` (reference manual, "Type conversion", "Type Conversion and Formatting Mask").

use super::support::{LIMITS, assert_scalars, assert_table, run_on_input, run_script, scalar_value};

#[test]
fn compatible_types_convert() {
    assert_scalars(&[
        ("cast(0, boolean)", "false"),
        ("cast(-2, boolean)", "true"),
        ("cast(0.0, boolean)", "false"),
        ("cast(0.1, boolean)", "true"),
        ("cast(true, integer)", "1"),
        ("cast(false, number)", "0"),
        ("cast(true, string)", "true"),
        ("cast(2.0, integer)", "2"),
        ("cast(2.5, integer)", "cast"),
        ("cast(cast(\"2010-01-05\", date), time)", "2010-01-05/2010-01-05"),
        ("cast(cast(\"2010Q1\", time_period), time)", "2010-01-01/2010-03-31"),
        ("cast(cast(\"2010-01-05\", date), time_period)", "2010-01-05"),
        ("cast(cast(\"2010-D005\", time_period), date)", "2010-01-05"),
        ("cast(cast(\"2010Q1\", time_period), date)", "cast"),
        ("cast(cast(\"2010-01-01/2010-03-31\", time), time_period)", "2010-Q1"),
        ("cast(cast(\"2010-01-01/2010-03-30\", time), time_period)", "cast"),
        ("cast(cast(\"2010-01-05/2010-01-05\", time), date)", "2010-01-05"),
        ("cast(cast(\"2010-01-05/2010-01-06\", time), date)", "cast"),
        ("cast(cast(null, integer), boolean)", "null"),
        ("cast(1, date)", "type"),
        ("cast(cast(\"2010\", time_period), integer)", "type"),
        ("cast(cast(\"A\", duration), time_period)", "type"),
        ("cast(true, date)", "type"),
    ]);
}

#[test]
fn texts_are_read_without_blanks_around_them() {
    assert_scalars(&[
        ("cast(\" +007 \", integer)", "7"),
        ("cast(\"9223372036854775808\", integer)", "cast"),
        ("cast(\"1.5E+3\", number)", "1500"),
        ("cast(\"\", number)", "cast"),
        ("cast(\"1 x\", number)", "cast"),
        ("cast(\" TRUE \", boolean)", "true"),
        ("cast(\"False\", boolean)", "false"),
        ("cast(\"yes\", boolean)", "cast"),
        ("cast(\"2010H2\", time_period)", "2010-S2"),
        ("cast(\"2010-H1\", time_period)", "2010-S1"),
        ("cast(\"2010-01-01/2010-12-31\", time_period)", "2010"),
        ("cast(\"2010-01-01/2010-12-30\", time_period)", "cast"),
        ("cast(\"2010-02-30\", date)", "cast"),
        ("cast(\"2010M1/2010M12\", time)", "2010-01-01/2010-12-31"),
        ("cast(\"P18M\", duration)", "P1Y6M"),
        ("cast(\"Y\", duration)", "cast"),
        ("cast(cast(null, string), date)", "null"),
    ]);
}

/// RM "The Numbers Formatting Mask".
#[test]
fn masks_of_numbers() {
    for (text, mask, want) in [
        ("12.345", "DD.DDD", "12.345"),
        ("-12,345", "DD,DDD", "-12.345"),
        ("2.345", "DD.DDD", "cast"),
        ("12.34", "DD.DDD", "cast"),
        ("12.345 ", "D*.D*", "12.345"),
        (".5", "D*.D*", "0.5"),
        ("12", "D*.D*", "12"),
        ("12.", "D+.D+", "cast"),
        ("1.25E03", "D.DDEE", "1250"),
        ("1.25E-03", "D.DDEE", "0.00125"),
        ("1.25", "D.DDEE", "cast"),
        ("x", "D", "cast"),
        ("1", "X", "cast"),
        ("1", "", "cast"),
    ] {
        assert_eq!(scalar_value(&format!("cast(\"{text}\", number, \"{mask}\")")), want, "{text} {mask}");
    }
    for (number, mask, want) in [
        ("3.1", "DD.DDD", "03.100"),
        ("-3.1", "D,D*", "-3,1"),
        ("1234.5", "D+.D+", "1234.5"),
        ("1234", "D*.D*", "1234"),
        ("1234", "D+.D+", "1234.0"),
        ("0.5", "D*.D*", "0.5"),
        ("123.5", "DD.DDD", "cast"),
        ("3.1415", "DD.DDD", "cast"),
        ("1250.0", "D.DDEE", "1.25E03"),
        ("0.00125", "D.DDEE", "1.25E-03"),
        ("0.0", "D.DDEE", "0.00E00"),
        ("7", "DDD", "007"),
        ("7", "D.D", "7.0"),
    ] {
        assert_eq!(scalar_value(&format!("cast({number}, string, \"{mask}\")")), want, "{number} {mask}");
    }
    assert_scalars(&[
        ("cast(\"007\", integer, \"DDD\")", "7"),
        ("cast(\"7.0\", integer, \"D.D\")", "cast"),
        ("cast(1.5, integer, \"D\")", "type"),
        ("cast(\"true\", boolean, \"D\")", "type"),
        ("cast(\"a\", string, \"D\")", "type"),
        ("cast(\"1\", integer, D)", "syntax"),
        ("cast(\"1\", GEO_AREA)", "unknown-name"),
    ]);
}

/// RM "Type conversion", example 9, and "The Time Formatting Mask".
#[test]
fn masks_of_time_read() {
    for (text, kind, mask, want) in [
        ("2000Q1", "time_period", r"YYYY\QQ", "2000-Q1"),
        ("2000-Q1", "time_period", r"YYYY-\QQ", "2000-Q1"),
        ("2000-1", "time_period", "YYYY-Q", "2000-Q1"),
        ("Q1-2000", "time_period", r"\QQ-YYYY", "2000-Q1"),
        ("2000Q01", "time_period", r"YYYY\QQQ", "2000-Q1"),
        ("2000M01D01", "time_period", r"YYYY\MMM\DDD", "2000-01-01"),
        ("2000.01.01", "time_period", r"YYYY\.MM\.DD", "2000-01-01"),
        ("2015Q4", "time_period", "YYYYP{ppp}", "2015-Q4"),
        ("2015D365", "time_period", "YYYYP{ppp}", "2015-12-31"),
        ("2015A", "time_period", "YYYYP{ppp}", "2015"),
        ("2015", "time_period", "YYYY", "2015"),
        ("2015-2-3", "time_period", "YYYY-Q-M", "2015-M06"),
        ("2015-2-4", "time_period", "YYYY-Q-M", "cast"),
        ("2020-53-7", "time_period", "YYYY-WW-D", "2021-01-03"),
        ("2020 53 Sun", "date", "YYYY WW Day3", "2021-01-03"),
        ("20120213", "date", "YYYYMMDD", "2012-02-13"),
        ("2012-366", "date", "YYYY-DDD", "2012-12-31"),
        ("2013-366", "date", "YYYY-DDD", "cast"),
        ("01jan2025", "date", "DDmonth3YYYY", "2025-01-01"),
        ("1 MAY 33", "date", "{D}D MONTH {YYY}Y", "0033-05-01"),
        ("31 September 2020", "date", "DD Month YYYY", "cast"),
        ("MONDAY 2021-01-04", "date", "DAY YYYY-MM-DD", "2021-01-04"),
        ("TUESDAY 2021-01-04", "date", "DAY YYYY-MM-DD", "cast"),
        ("20-21-02-03", "date", "CC-YY-MM-DD", "2021-02-03"),
        ("2021-02-03x", "date", "YYYY-MM-DD", "cast"),
        ("2021-02-03", "date", "YYYY-MM", "cast"),
        ("21-02-03", "date", "YY-MM-DD", "cast"),
        ("2021", "date", "YYYY-MM-DDThh", "cast"),
        ("2021", "time_period", "YYYYYYY", "cast"),
        ("2021-01", "time_period", "YYYY-WW-MM", "cast"),
        ("20150303/20180405", "time", "YYYYMMDD/YYYYMMDD", "2015-03-03/2018-04-05"),
        ("2018/2015", "time", "YYYY/YYYY", "cast"),
        ("2015-02", "time", "YYYY-MM", "2015-02-01/2015-02-28"),
        ("P03M", "duration", r"\PMM\M", "Q"),
        ("P10Y02M12D", "duration", r"\PYY\YMM\MDD\D", "P10Y2M12D"),
        ("P018W", "duration", r"\PWWW\W", "P126D"),
        ("P02Q", "duration", r"\PppP", "S"),
        ("W", "duration", "P", "W"),
        ("X", "duration", "P", "cast"),
        ("A", "duration", r"YYYY\Q", "cast"),
    ] {
        assert_eq!(scalar_value(&format!("cast(\"{text}\", {kind}, \"{mask}\")")), want, "{text} {mask}");
    }
}

#[test]
fn masks_of_time_write() {
    for (text, kind, mask, want) in [
        ("2020-02-05", "date", "YYYY.MM.DD", "2020.02.05"),
        ("2020-02-05", "date", "{D}D Month YY", "5 February 20"),
        ("2020-02-05", "date", "day3, DDD CCYY", "wed, 036 2020"),
        ("2021-01-03", "date", "YYYY-\\WWW-D", "2020-W53-7"),
        ("2020-02-05", "date", "YYYY\\QQ", "2020Q1"),
        ("2020-Q3", "time_period", "YYYY-\\QQ", "2020-Q3"),
        ("2020-Q3", "time_period", "YYYY\\SS", "2020S2"),
        ("2020-Q3", "time_period", "YYYY-MM", "cast"),
        ("2020-M12", "time_period", "YYYY S Q M", "2020 2 2 3"),
        ("2020-M12", "time_period", "YYYYPpp", "2020M12"),
        ("2020", "time_period", "YYYYP{ppp}", "2020A"),
        ("2020-01-01/2020-06-30", "time", "YYYY\\SS", "2020S1"),
        ("2020-01-01/2020-06-29", "time", "YYYY\\SS", "cast"),
        ("2020-01-01/2020-06-29", "time", "YYYYMMDD/YYYYMMDD", "20200101/20200629"),
        ("P1Y6M", "duration", "\\PMM\\M", "P18M"),
        ("P1Y6M", "duration", "\\PYY\\Y", "cast"),
        ("P10D", "duration", "\\PWW\\WD\\D", "P01W3D"),
        ("P10M", "duration", "\\PppP", "P10M"),
        ("P6M", "duration", "P", "S"),
        ("P7M", "duration", "P", "cast"),
    ] {
        let expr = format!("cast(cast(\"{text}\", {kind}), string, \"{mask}\")");
        assert_eq!(scalar_value(&expr), want, "{text} {mask}");
    }
}

#[test]
fn columns_are_cast_row_by_row() {
    let d = "K:i:string, S:m:string\na, 2010Q1\nb,\nc, 2010Q5";
    assert_table(
        &run_on_input("R <- cast(D[filter K <> \"c\"], time_period, \"YYYY\\QQ\");", d),
        "K,time_period_var\na,2010-Q1\nb,",
    );
    assert_table(
        &run_on_input("R <- cast(D[filter false], time_period, \"YYYY\\QQ\");", d),
        "K,time_period_var",
    );
    let fault =
        run_script("R <- D[calc P := cast(S, time_period, \"YYYY\\QQ\")];", &[("D", d)], LIMITS).unwrap_err();
    assert_eq!((fault[0].code.as_str(), fault[0].data_point.as_deref()), ("cast", Some("K = c")));
    assert!(fault[0].message.contains("`2010Q5`"), "{}", fault[0].message);
}
