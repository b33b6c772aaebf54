//! The recipes that the project is for, on small data worked out by hand or in exact rationals.

use super::support::{LIMITS, outcome, results, same, shown};

const MONTHS: &str = "REF_AREA:i:string, TIME_PERIOD:i:time_period, OBS_VALUE:m:number, OBS_STATUS:a:string
    FR, 2020-M01, 100.00, A
    FR, 2021-M01, 101.05, A
    FR, 2021-M03, 103.1, A
    FR, 2020-M03, 98.7, A
    US, 2020-M01, 250, A
    US, 2021-M01, , P";

#[test]
fn inflation_over_twelve_months() {
    let found = results("R <- round((CPI / timeshift(CPI, 12) - 1) * 100, 1);", &[("CPI", MONTHS)]);
    same(
        &found,
        "REF_AREA,TIME_PERIOD,OBS_VALUE
        FR,2021-M01,1.1
        FR,2021-M03,4.5
        US,2021-M01,",
    );
}

#[test]
fn inflation_over_a_month_and_compounded() {
    let data = "REF_AREA:i:string, TIME_PERIOD:i:time_period, OBS_VALUE:m:number
        FR, 2020-M12, 100
        FR, 2021-M01, 101";
    let script = "RATIO := CPI / timeshift(CPI, 1);
        MOM <- (RATIO - 1) * 100;
        SAAR <- (power(RATIO, 12) - 1) * 100;";
    let outcome = outcome(script, &[("CPI", data)], LIMITS).unwrap();
    same(&shown(&outcome.tables["MOM"]), "REF_AREA,TIME_PERIOD,OBS_VALUE\nFR,2021-M01,1");
    // 1.01^12 is exact in 25 digits: no rounding of the sequence bites.
    same(
        &shown(&outcome.tables["SAAR"]),
        "REF_AREA,TIME_PERIOD,OBS_VALUE\nFR,2021-M01,12.6825030131969720661201",
    );
}
