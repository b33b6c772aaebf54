//! Typical recipes on small data, worked out by hand or in exact rationals.

use super::support::{LIMITS, assert_table, run_on_inputs, run_script, table_text};

const MONTHS: &str = "REF_AREA:i:string, TIME_PERIOD:i:time_period, OBS_VALUE:m:number, OBS_STATUS:a:string
    FR, 2020-M01, 100.00, A
    FR, 2021-M01, 101.05, A
    FR, 2021-M03, 103.1, A
    FR, 2020-M03, 98.7, A
    US, 2020-M01, 250, A
    US, 2021-M01, , P";

#[test]
fn inflation_over_twelve_months() {
    let found = run_on_inputs("R <- round((CPI / timeshift(CPI, 12) - 1) * 100, 1);", &[("CPI", MONTHS)]);
    assert_table(
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
    let outcome = run_script(script, &[("CPI", data)], LIMITS).unwrap();
    assert_table(&table_text(&outcome.tables["MOM"]), "REF_AREA,TIME_PERIOD,OBS_VALUE\nFR,2021-M01,1");
    // 1.01^12 is exact in 25 digits, so no intermediate rounding changes it.
    assert_table(
        &table_text(&outcome.tables["SAAR"]),
        "REF_AREA,TIME_PERIOD,OBS_VALUE\nFR,2021-M01,12.6825030131969720661201",
    );
}

/// Returns the twelve months of a year with the values that `value` returns for their numbers.
fn year(area: &str, year: i32, value: impl Fn(i32) -> String) -> String {
    (1..=12).map(|month| format!("{area}, {year}-M{month:02}, {}\n", value(month))).collect()
}

const MONTHLY: &str = "REF_AREA:i:string, TIME_PERIOD:i:time_period, OBS_VALUE:m:number\n";

#[test]
fn an_index_gets_a_new_base() {
    let data = format!(
        "{MONTHLY}{}{}{}FR, 2016-M01, 120\nUS, 2016-M01, 5\nDE, 2016-M01, 7",
        year("FR", 2015, |month| format!("{}", 100 + month % 2)),
        year("US", 2015, |month| if month == 7 { String::new() } else { "4".to_owned() }),
        year("DE", 2014, |_| "1".to_owned()),
    );
    let script = "Y2015 := CPI[filter getyear(TIME_PERIOD) = 2015 and not isnull(OBS_VALUE)];
        BASE := avg(Y2015 group by REF_AREA having count() = 12);
        R <- (CPI / BASE * 100)[filter getyear(TIME_PERIOD) = 2016];";
    // 120 / 100.5 × 100; the United States lack a month, Germany the whole year.
    assert_table(
        &run_on_inputs(script, &[("CPI", &data)]),
        "REF_AREA,TIME_PERIOD,OBS_VALUE\nFR,2016-M01,119.4029850746268656716417910447761",
    );
}

#[test]
fn items_are_weighed_and_a_period_without_an_item_is_not_published() {
    let items = "REF_AREA:i:string, ITEM:i:string, TIME_PERIOD:i:time_period, OBS_VALUE:m:number
        FR, A, 2020-M01, 110\nFR, B, 2020-M01, 90\nFR, A, 2020-M02, 111\nFR, B, 2020-M02,\nFR, A, 2020-M03, 112";
    let weights = "REF_AREA:i:string, ITEM:i:string, OBS_VALUE:m:number\nFR, A, 0.25\nFR, B, 0.75";
    let script = "NEED := count(WEIGHT group by REF_AREA);
        HAVE := count(ITEM_IDX[filter not isnull(OBS_VALUE)] group by REF_AREA, TIME_PERIOD);
        FULL := HAVE[rename int_var to N_HAVE];
        FULLN := inner_join(FULL as F, NEED[rename int_var to N_NEED] as N filter N_HAVE = N_NEED keep N_HAVE);
        NUM := sum(ITEM_IDX * WEIGHT group by REF_AREA, TIME_PERIOD);
        DEN := sum(WEIGHT group by REF_AREA);
        ALL_ITEMS := NUM / DEN;
        R <- inner_join(ALL_ITEMS as A, FULLN as F keep OBS_VALUE);";
    assert_table(
        &run_on_inputs(script, &[("ITEM_IDX", items), ("WEIGHT", weights)]),
        "REF_AREA,TIME_PERIOD,OBS_VALUE\nFR,2020-M01,95",
    );
}

#[test]
fn annual_averages_need_whole_years() {
    let data = format!(
        "{MONTHLY}{}{}{}",
        year("FR", 2019, |_| "100".to_owned()),
        year("FR", 2020, |month| format!("10{}", month % 4)),
        year("US", 2019, |month| if month < 12 { "1".to_owned() } else { String::new() }),
    );
    let script = "KNOWN := CPI[filter not isnull(OBS_VALUE)];
        CPI_A <- avg(KNOWN group by REF_AREA, TIME_PERIOD time_agg(\"A\") having count() = 12);
        INFL_A <- round((CPI_A / timeshift(CPI_A, 1) - 1) * 100, 1);";
    let outcome = run_script(script, &[("CPI", &data)], LIMITS).unwrap();
    assert_table(
        &table_text(&outcome.tables["CPI_A"]),
        "REF_AREA,TIME_PERIOD,OBS_VALUE\nFR,2019,100\nFR,2020,101.5",
    );
    assert_table(&table_text(&outcome.tables["INFL_A"]), "REF_AREA,TIME_PERIOD,OBS_VALUE\nFR,2020,1.5");
}

#[test]
fn unemployment_in_four_definitions() {
    let data = "REF_AREA:i:string, TIME_PERIOD:i:time_period, EMPLOYED:m:number, UNEMPLOYED:m:number, DISCOURAGED:m:number, OTHER_MARGINAL:m:number, PT_ECONOMIC:m:number
        US, 2024-M01, 160, 6, 0.5, 1, 4.5
        US, 2024-M02, 160, 6.4, , 1, 4.5";
    let script =
        "L := LFS[calc LABOUR_FORCE := EMPLOYED + UNEMPLOYED, MARGINAL := DISCOURAGED + OTHER_MARGINAL];
        R <- L[calc U3 := round(100 * UNEMPLOYED / LABOUR_FORCE, 1),
            U4 := round(100 * (UNEMPLOYED + DISCOURAGED) / (LABOUR_FORCE + DISCOURAGED), 1),
            U5 := round(100 * (UNEMPLOYED + MARGINAL) / (LABOUR_FORCE + MARGINAL), 1),
            U6 := round(100 * (UNEMPLOYED + MARGINAL + PT_ECONOMIC) / (LABOUR_FORCE + MARGINAL), 1)]
            [keep U3, U4, U5, U6];";
    assert_table(
        &run_on_inputs(script, &[("LFS", data)]),
        "REF_AREA,TIME_PERIOD,U3,U4,U5,U6\nUS,2024-M01,3.6,3.9,4.5,7.2\nUS,2024-M02,3.8,,,",
    );
}

#[test]
fn expenditure_adds_up_and_the_difference_shows() {
    let accounts = "REF_AREA:i:string, TIME_PERIOD:i:time_period, STO:i:string, OBS_VALUE:m:number
        FR, 2020-Q1, P3, 500.5\nFR, 2020-Q1, P5, 120\nFR, 2020-Q1, P6, 80.1\nFR, 2020-Q1, P7, 90
        FR, 2020-Q2, P3, 1\nFR, 2020-Q2, P5, 1\nFR, 2020-Q2, P6, 1";
    let published = "REF_AREA:i:string, TIME_PERIOD:i:time_period, OBS_VALUE:m:number\nFR, 2020-Q1, 610.5";
    let script =
        "GDP <- NA[sub STO = \"P3\"] + NA[sub STO = \"P5\"] + NA[sub STO = \"P6\"] - NA[sub STO = \"P7\"];
        DIFF <- GDP - GDP_PUB;";
    let outcome = run_script(script, &[("NA", accounts), ("GDP_PUB", published)], LIMITS).unwrap();
    assert_table(&table_text(&outcome.tables["GDP"]), "REF_AREA,TIME_PERIOD,OBS_VALUE\nFR,2020-Q1,610.6");
    assert_table(&table_text(&outcome.tables["DIFF"]), "REF_AREA,TIME_PERIOD,OBS_VALUE\nFR,2020-Q1,0.1");
}

#[test]
fn real_growth_by_quarter_and_year() {
    let gdp = format!("{MONTHLY}FR, 2019-Q1, 500\nFR, 2019-Q2, 510\nFR, 2020-Q1, 530.4\n");
    let deflator = format!("{MONTHLY}FR, 2019-Q1, 100\nFR, 2019-Q2, 102\nFR, 2020-Q1, 104");
    let script = "GDP_R := GDP_N / DEFL * 100;
        QOQ <- (GDP_R / timeshift(GDP_R, 1) - 1) * 100;
        YOY <- (GDP_R / timeshift(GDP_R, 4) - 1) * 100;";
    let outcome = run_script(script, &[("GDP_N", &gdp), ("DEFL", &deflator)], LIMITS).unwrap();
    assert_table(&table_text(&outcome.tables["QOQ"]), "REF_AREA,TIME_PERIOD,OBS_VALUE\nFR,2019-Q2,0");
    assert_table(&table_text(&outcome.tables["YOY"]), "REF_AREA,TIME_PERIOD,OBS_VALUE\nFR,2020-Q1,2");
}
