//! SDMX messages in their three forms, and JSON-stat: small messages, each for one property.

use super::{csv, plain, round_trip};
use ingest::{Format, ImportedTable};

/// The table as CSV.
#[track_caller]
fn check(text: &str, format: Format, expected: &str) -> ImportedTable {
    let imported = plain("file.x", text.as_bytes()).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(imported.format, format);
    assert_eq!(csv(&imported), expected);
    assert_eq!(round_trip(&imported), expected);
    imported
}

/// Checks a refusal: its code, and a word of its text.
#[track_caller]
fn refused(text: &str, code: &str, word: &str) {
    let error = plain("file.x", text.as_bytes()).unwrap_err();
    let all = format!("{error} {}", error.hint.clone().unwrap_or_default());
    assert!(error.code == code && all.contains(word), "{} {all}", error.code);
}

const HEADER: &str = "<m:Header><m:ID>x</m:ID><m:Prepared>2020-02-03T10:00:00</m:Prepared><m:Sender id='OFF'/>\
    <m:Structure structureID='S' dimensionAtObservation='TIME_PERIOD'><c:StructureUsage>\
    <Ref agencyID='OFF' id='FLOW' version='1.0'/></c:StructureUsage></m:Structure></m:Header>";

fn ml(root: &str, data: &str) -> String {
    format!(
        "<?xml version='1.0' encoding='UTF-8'?>\n<m:{root} xmlns:m='http://www.sdmx.org/resources/sdmxml/schemas/v2_1/message' \
         xmlns:c='x' xmlns:g='y'>{HEADER}<m:DataSet structureRef='S' action='Replace'>{data}</m:DataSet></m:{root}>"
    )
}

fn specific(data: &str) -> String {
    ml("StructureSpecificData", data)
}

#[test]
fn values_of_a_series_apply_to_its_observations() {
    let text = specific(
        "<Group xsi:type='g' AREA='A' TITLE='a &amp; b'/>\
         <Series FREQ='A' AREA='A' UNIT_MULT='6'><Obs TIME_PERIOD='2010' OBS_VALUE='1.50' OBS_STATUS='P'/>\
         <Obs TIME_PERIOD='2011' OBS_VALUE='NaN'/><Obs TIME_PERIOD='2012' OBS_VALUE='' OBS_STATUS='M'/></Series>\
         <Series FREQ='A' AREA='B'><Obs TIME_PERIOD='2010' OBS_VALUE='2'/></Series>",
    );
    let imported = check(
        &text,
        Format::SdmxMl,
        "FREQ,AREA,TIME_PERIOD,OBS_VALUE,OBS_STATUS,TITLE,UNIT_MULT\n\
         A,A,2010,1.50,P,a & b,6\nA,A,2012,,M,a & b,6\nA,B,2010,2,,,\n",
    );
    let summary = &imported.summary;
    assert_eq!((summary.rows, summary.missing, summary.observations, summary.series), (4, 2, 3, 2));
    assert_eq!((summary.missing_spellings["NaN"], summary.missing_spellings[""]), (1, 1));
    assert_eq!((imported.dataflow.as_str(), imported.publisher.as_deref()), ("FLOW", Some("OFF")));
    assert_eq!(imported.vintage.unwrap().to_string(), "2020-02-03");
    assert_eq!(imported.importer, "sdmx-ml/1");
    assert_eq!(summary.notes, ["the message does not state its dimensions, inferred: FREQ, AREA"]);
}

#[test]
fn generic_messages_state_their_dimensions() {
    let series = "<g:Series><g:SeriesKey><g:Value id='TITLE' value='t'/></g:SeriesKey>\
        <g:Attributes><g:Value id='AREA' value='A'/></g:Attributes>\
        <g:Obs><g:ObsDimension value='2010-Q1'/><g:ObsValue value='1'/>\
        <g:Attributes><g:Value id='OBS_STATUS' value='A'/></g:Attributes></g:Obs></g:Series>";
    let expected = "TITLE,TIME_PERIOD,OBS_VALUE,AREA,OBS_STATUS\nt,2010-Q1,1,A,A\n";
    let imported = check(&ml("GenericData", series), Format::SdmxMl, expected);
    assert!(imported.summary.notes.is_empty(), "it says them");
    let flat = "<g:Obs><g:ObsKey><g:Value id='A' value='x'/><g:Value id='TIME_PERIOD' value='2010-M1'/></g:ObsKey>\
        <g:ObsValue value='1'/></g:Obs>";
    check(&ml("GenericData", flat), Format::SdmxMl, "A,TIME_PERIOD,OBS_VALUE\nx,2010-M01,1\n");
    let old = "<g:Group><g:GroupKey><g:Value concept='A' value='x'/></g:GroupKey><g:Attributes>\
        <g:Value concept='N' value='note'/></g:Attributes><g:Series><g:SeriesKey><g:Value concept='A' value='x'/></g:SeriesKey>\
        <g:Obs><g:Time>2010-01-31</g:Time><g:ObsValue value='1'/></g:Obs></g:Series></g:Group>";
    check(&ml("MessageGroup", old), Format::SdmxMl, "A,TIME_PERIOD,OBS_VALUE,N\nx,2010-01-31,1,note\n");
}

#[test]
fn another_dimension_at_the_observation() {
    let text = ml(
        "GenericData",
        "<g:Series><g:SeriesKey><g:Value id='TIME_PERIOD' value='2010'/></g:SeriesKey>\
         <g:Obs><g:ObsDimension value='USD'/><g:ObsValue value='1'/></g:Obs></g:Series>",
    )
    .replace("'TIME_PERIOD'><c:", "'CURRENCY'><c:");
    check(&text, Format::SdmxMl, "CURRENCY,TIME_PERIOD,OBS_VALUE\nUSD,2010,1\n");
    let text = specific("<Series TIME_PERIOD='2010'><Obs CURRENCY='USD' OBS_VALUE='1'/></Series>");
    check(&text, Format::SdmxMl, "CURRENCY,TIME_PERIOD,OBS_VALUE\nUSD,2010,1\n");
}

#[test]
fn attributes_of_several_values() {
    let text = specific(
        "<Series A='x'><Comp id='NOTE'><Value><c:Text xml:lang='fr'>un</c:Text><c:Text xml:lang='en'>one</c:Text></Value>\
         <Value>t&lt;w&#111;</Value></Comp><Obs TIME_PERIOD='2010' OBS_VALUE='1'/></Series>",
    );
    check(&text, Format::SdmxMl, "A,TIME_PERIOD,OBS_VALUE,NOTE\nx,2010,1,one;t<wo\n");
}

#[test]
fn messages_without_data() {
    let root = |name: &str| ml(name, "");
    refused(&root("Structure"), "message", "structure message");
    refused(&root("CrossSectionalData"), "message", "compact");
    refused(&root("GenericMetadata"), "message", "metadata");
    refused(&root("RegistryInterface"), "message", "registry");
    refused(&root("Else"), "message", "unknown root");
    refused(&root("GenericData"), "no-data", "no observation");
    let error = "<m:Error xmlns:m='http://www.sdmx.org/resources/sdmxml/schemas/v2_1/message'>\
        <m:ErrorMessage code='100'><c:Text>No results</c:Text></m:ErrorMessage></m:Error>";
    refused(error, "no-data", "code 100: No results");
    let footer = ml("GenericData", "").replace(
        "</m:GenericData>",
        "<f:Footer><f:Message code='413'><c:Text>try http://x</c:Text></f:Message></f:Footer></m:GenericData>",
    );
    refused(&footer, "no-data", "try http://x");
}

#[test]
fn invalid_and_hostile_messages() {
    let obs = |attributes: &str| specific(&format!("<Series A='x'>\n<Obs {attributes}/></Series>"));
    refused(&obs("TIME_PERIOD='2010-01-01/P1M' OBS_VALUE='1'"), "period", "range");
    refused(&obs("TIME_PERIOD='2010' OBS_VALUE='x'"), "number", "file.x:3, column `OBS_VALUE`");
    refused(&obs("TIME_PERIOD='2010' TIME_PERIOD='2011' OBS_VALUE='1'"), "xml", "duplicate");
    refused(&obs("TIME_PERIOD='2010' OBS_VALUE='&a;'"), "xml", "file.x:3");
    refused(
        &obs("TIME_PERIOD='2010' OBS_VALUE='1'/><Obs TIME_PERIOD='2010' OBS_VALUE='2'"),
        "duplicate",
        "first given",
    );
    refused(&obs("OBS_VALUE='1'/><Obs TIME_PERIOD='2010' OBS_VALUE='2'"), "identifier", "TIME_PERIOD");
    refused(&obs("OBS_VALUE='1'").replace("Replace", "Delete"), "deletion", "deletes");
    let all: String = (0..200).map(|at| format!("A{at}='1' ")).collect();
    refused(&obs(&all), "columns", "128");
    let text = obs("TIME_PERIOD='2010' OBS_VALUE='1'");
    refused(&text.replace("?>", "?><!DOCTYPE a [<!ENTITY a 'b'>]>"), "xml", "DOCTYPE");
    refused(&text[..text.len() - 30], "xml", "truncated");
    refused(&specific(&"<Series>".repeat(100)), "xml", "64");
    for at in 0..text.len() {
        let mut bytes = text.clone().into_bytes();
        bytes[at] ^= 0x15;
        let _ = plain("file.x", &bytes);
    }
}

#[test]
fn csv_of_both_versions() {
    let first = "DATAFLOW,FREQ,AREA,TIME_PERIOD,COLLECTION,OBS_STATUS,OBS_VALUE\n";
    let rows = "O:FLOW(1.0),A,x,2010,S,A,1.50\nO:FLOW(1.0),A,x,2011,S,M,\nO:FLOW(1.0),A,y,2010,S,,nan\n";
    let expected =
        "FREQ,AREA,TIME_PERIOD,OBS_VALUE,COLLECTION,OBS_STATUS\nA,x,2010,1.50,S,A\nA,x,2011,,S,M\n";
    let imported = check(&format!("{first}{rows}"), Format::SdmxCsv, expected);
    assert_eq!((imported.dataflow.as_str(), imported.summary.missing), ("FLOW", 2));
    let second = "STRUCTURE;STRUCTURE_ID;ACTION;AREA;OBS_VALUE;TIME_PERIOD;NOTE[]\n\
        dataflow;O:FLOW(1.0);I;x;1,5;2010;en:a\ndataflow;O:FLOW(1.0);R;x;2,5;2011;\ndataflow;O:FLOW(1.0);M;~;;;rest\n";
    let expected = "AREA,TIME_PERIOD,OBS_VALUE,NOTE\nx,2010,1.5,en:a\nx,2011,2.5,rest\n";
    check(second, Format::SdmxCsv, expected);
    refused(&second.replace(";R;", ";D;"), "deletion", "deletes");
    refused(&second.replace(";R;", ";Z;"), "action", "Z");
    refused(&second.replace("OBS_VALUE", "FIGURE"), "column-missing", "mapping");
    refused("DATAFLOW,A,A,TIME_PERIOD,OBS_VALUE\nf,1,1,2010,1\n", "column-twice", "A");
    refused("DATAFLOW,A,TIME_PERIOD,OBS_VALUE\nf,1,,1\n", "identifier", "TIME_PERIOD");
    refused("DATAFLOW,A,TIME_PERIOD,OBS_VALUE\nf,,2010,1\n", "identifier", "A");
}

#[test]
fn short_items_cannot_fill_the_memory() {
    let many = |item: &str, count: usize| vec![item; count].join(",");
    refused(&json1(&many("{}", 5000)), "json", "4096 items");
    let long = json1(&format!(r#"{{"observations":{{"0:0":[{}]}}}}"#, many("0", 300)));
    refused(&long, "json", "256 items");
    let stat = STAT.replace("VALUE", "[1,2,3,4]").replace("STATUS", "null");
    refused(&stat.replace("[1,2,2]", &format!("[{}]", many("1", 100))), "json", "64 items");
}

#[test]
fn exported_csv_needs_no_mapping() {
    for (text, format) in [
        (
            "FREQ,AREA,TIME_PERIOD,OBS_VALUE,COLLECTION,OBS_STATUS\nA,x,2010,1.50,S,A\nA,x,2011,,,M\n",
            Format::Csv,
        ),
        ("AREA,SEX,OBS_VALUE,TITLE\nx,F,1,a b\nx,M,2.0,\n", Format::Csv),
    ] {
        check(text, format, text);
    }
}

#[test]
fn csv_of_oecd_stat() {
    let text = "\u{feff}\"LOCATION\",\"Country\",\"MEASURE\",\"Measure\",\"TIME\",\"Time\",\"Unit Code\",\"Unit\",\
        \"Value\",\"Flag Codes\",\"Flags\"\r\n\"AUS\",\"Australia\",\"GP\",\"Growth\",\"2010-Q1\",\"Q1-2010\",\"PC\",\"Percentage\",0.5,\"E\",\"Estimate\"\r\n";
    let expected = "LOCATION,MEASURE,TIME_PERIOD,OBS_VALUE,Unit_Code,OBS_STATUS\nAUS,GP,2010-Q1,0.5,PC,E\n";
    let imported = check(text, Format::SdmxCsv, expected);
    assert_eq!(
        imported.codes.keys().map(|id| id.as_str()).collect::<Vec<_>>(),
        ["LOCATION", "MEASURE", "OBS_STATUS"]
    );
}

#[test]
fn labels_become_code_lists() {
    let both = "STRUCTURE,STRUCTURE_ID,ACTION,AREA:Area,REF_AREA: Place,TIME_PERIOD: Time,OBS_VALUE: Value,NOTE: Note\n\
        dataflow,O:FLOW(1.0): The flow,I,A: Aland,FRA: France,2010: 2010,1: 1,See: here\n\
        dataflow,O:FLOW(1.0): The flow,I,B: Bland,AUT: Autriche,2010,2,See: there\n";
    let expected =
        "AREA,REF_AREA,TIME_PERIOD,OBS_VALUE,NOTE\nA,FRA,2010,1,See: here\nB,AUT,2010,2,See: there\n";
    let imported = check(both, Format::SdmxCsv, expected);
    let name = imported.codes.iter().next().unwrap();
    assert_eq!((name.0.as_str(), name.1["B"].as_str(), imported.codes.len()), ("AREA", "Bland", 1));
    assert_eq!((imported.areas[0].name.as_str(), imported.title.as_str()), ("Autriche", "The flow"));
    let names = "STRUCTURE,STRUCTURE_ID,STRUCTURE_NAME,ACTION,AREA,Area,TIME_PERIOD,Time,OBS_VALUE,Value,NOTE,Note\n\
        dataflow,O:FLOW(1.0),The flow,I,A,Aland,2010,,1,,n,\n";
    let imported = check(names, Format::SdmxCsv, "AREA,TIME_PERIOD,OBS_VALUE,NOTE\nA,2010,1,n\n");
    assert_eq!(imported.codes.values().next().unwrap()["A"], "Aland");
    assert_eq!(imported.title, "The flow");
}

/// A message of version 1.0, with the data before the structure.
fn json1(sets: &str) -> String {
    format!(
        r#"{{"header":{{"prepared":"2020-02-03T00:00:00","sender":{{"id":"OFF","name":"The office"}}}},"dataSets":[{sets}],
"structure":{{"name":"The flow","links":[{{"href":"https://x/dataflow/OFF/FLOW/1.0","rel":"dataflow"}}],
"dimensions":{{"dataSet":[{{"id":"FREQ","keyPosition":0,"values":[{{"id":"A","name":"Annual"}}]}}],
"series":[{{"id":"AREA","keyPosition":1,"values":[{{"id":"x","name":"Xland"}},{{"id":"y","name":"Yland"}}]}}],
"observation":[{{"id":"TIME","role":"TIME_PERIOD","values":[{{"id":"2010"}},{{"id":"2011"}}]}}]}},
"attributes":{{"dataSet":[{{"id":"UNIT","values":[{{"id":"EUR","name":"Euro"}}]}}],
"series":[{{"id":"TITLE","values":[{{"name":"a title"}}]}},{{"id":"UNIT_MULT","default":"0","values":[{{"id":"6"}}]}}],
"observation":[{{"id":"OBS_STATUS","values":[{{"id":"A","name":"Normal"}},{{"id":"M","name":"Missing"}}]}}]}}}}}}"#
    )
}

#[test]
fn json_of_version_1() {
    let text = json1(
        r#"{"action":"Information","attributes":[0],"series":{
"0":{"attributes":[0,null],"observations":{"0":[1.50,0],"1":[1e9999]}},
"1":{"attributes":[null,0],"observations":{"0":[null,1],"1":["NaN",null]}}}}"#,
    );
    refused(&text, "number", "file.x:2");
    let imported = check(
        &text.replace("1e9999", "2E-3"),
        Format::SdmxJson,
        "FREQ,AREA,TIME_PERIOD,OBS_VALUE,UNIT,TITLE,UNIT_MULT,OBS_STATUS\n\
         A,x,2010,1.50,EUR,a title,0,A\nA,x,2011,0.002,EUR,a title,0,\nA,y,2010,,EUR,,6,M\n",
    );
    let summary = &imported.summary;
    assert_eq!((summary.rows, summary.missing, summary.observations), (4, 2, 3));
    assert_eq!((imported.dataflow.as_str(), imported.title.as_str()), ("FLOW", "The flow"));
    assert_eq!(imported.publisher.as_deref(), Some("The office"));
    assert_eq!(imported.vintage.unwrap().to_string(), "2020-02-03");
    let lists: Vec<&str> = imported.codes.keys().map(|id| id.as_str()).collect();
    assert_eq!(lists, ["AREA", "FREQ", "OBS_STATUS", "UNIT"]);
    let flat = json1(r#"{"observations":{"0:0":[1],"1:1":[2,0]}}"#);
    let expected = "FREQ,AREA,TIME_PERIOD,OBS_VALUE,OBS_STATUS\nA,x,2010,1,\nA,y,2011,2,A\n";
    check(&flat, Format::SdmxJson, expected);
}

#[test]
fn json_of_version_2() {
    let text = r#"{"meta":{"prepared":"2020-02-03T00:00:00","sender":{"id":"OFF"}},"data":{"structures":[{"dataSets":[0],
"links":[{"urn":"urn:sdmx:org.sdmx.infomodel.datastructure.Dataflow=OFF:FLOW(1.0)","rel":"dataflow"}],
"dimensions":{"dataSet":[],"series":[],"observation":[{"id":"AREA","keyPosition":0,"values":[{"id":"x","name":"X"},{"id":"y","name":"Y"}]},
{"id":"TIME_PERIOD","keyPosition":1,"roles":["TIME_PERIOD"],"values":[{"value":"2010-Q1"}]}]},
"measures":{"observation":[{"id":"LOW"},{"id":"HIGH"}]},
"attributes":{"dataSet":[{"id":"NOTE"}],"dimensionGroup":[{"id":"UNIT","values":[{"id":"EUR","name":"Euro"}]}],
"observation":[{"id":"OBS_STATUS","default":"A","values":[null,{"id":"P","name":"provisional"}]},{"id":"TEXT"}]}}],
"dataSets":[{"structure":0,"action":"Replace","attributes":[["one","two"]],"dimensionGroupAttributes":{"1:":[0]},
"observations":{"0:0":[1,2.0,0,{"fr":"un","en":"one"}],"1:0":[null,"3",1]}}]}}"#;
    check(
        text,
        Format::SdmxJson,
        "AREA,TIME_PERIOD,LOW,HIGH,NOTE,UNIT,OBS_STATUS,TEXT\nx,2010-Q1,1,2.0,one;two,,A,one\ny,2010-Q1,,3,one;two,EUR,P,\n",
    );
    refused(&text.replace("Replace", "Delete"), "deletion", "deletes");
    refused(&text.replace("\"structure\":0", "\"structure\":7"), "message", "structure");
    refused(&text.replace("\"1:0\"", "\"1:9\""), "message", "index of a value");
    refused(&text.replace("\"1:0\"", "\"1\""), "message", "file.x:9");
    refused(&text.replace("\"1:0\"", "\"0:0\""), "duplicate", "line 9");
    refused(&text.replace("[1,2.0", "[[1],2.0"), "json", "number or a text");
    refused(&text.replace("\"en\":\"one\"}]", "\"en\":\"one\"},\"x\"]"), "message", "no more attributes");
    for (text, code) in [
        (r#"{"meta":{},"errors":[{"code":404,"title":"No results found"}]}"#, "no-data"),
        (r#"{"meta":{},"data":{"codelists":[]},"errors":[]}"#, "no-data"),
    ] {
        refused(text, code, if text.contains("404") { "No results found" } else { "no data set" });
    }
}

const STAT: &str = r#"{"version":"2.0","class":"dataset","label":"Rates","source":"Office","updated":"2019-01-07",
"href":"http://x/samples/rates.json?a=b","id":["metric","geo","when"],"size":[1,2,2],"role":{"time":["when"],"metric":["metric"]},
"dimension":{"metric":{"category":{"label":{"R":"Rate"},"unit":{"R":{"label":"%","decimals":1}}}},
"geo":{"category":{"index":["IT","AT"],"label":{"IT":"Italy","AT":"Austria"},"child":{"EU":["IT"]}}},
"when":{"category":{"index":{"2011K2":1,"2011K1":0}}}},
"value":VALUE,"status":STATUS}"#;

#[test]
fn json_stat_dense_and_sparse() {
    let stat = |values: &str, status: &str| STAT.replace("VALUE", values).replace("STATUS", status);
    let rows = "R,AT,2011-Q1,,:,%,1\nR,AT,2011-Q2,4.50,,%,1\nR,IT,2011-Q1,1,p,%,1\n";
    let expected = format!("metric,geo,TIME_PERIOD,OBS_VALUE,OBS_STATUS,UNIT_MEASURE,DECIMALS\n{rows}");
    for (values, status) in [
        ("[1,null,null,4.50]", r#"["p",null,":",""]"#),
        (r#"{"0":1,"3":4.50}"#, r#"{"2":":","0":"p"}"#),
        (r#"{"0":1,"2":":","3":4.50}"#, r#"{"2":":","0":"p"}"#),
    ] {
        let imported = check(&stat(values, status), Format::JsonStat, &expected);
        let summary = &imported.summary;
        assert_eq!((summary.rows, summary.missing, summary.observations), (4, 2, 3), "{values}");
        assert_eq!((imported.dataflow.as_str(), imported.title.as_str()), ("rates", "Rates"));
        assert_eq!((imported.publisher.as_deref(), imported.vintage.is_some()), (Some("Office"), true));
        let geo = imported.codes.iter().find(|(id, _)| id.as_str() == "geo").unwrap();
        assert_eq!(geo.1["IT"], "Italy");
    }
    check(&stat("[1,2,3,4]", "\"e\"").replace("[1,2,2]", "[1,2,2 ]"), Format::JsonStat, &{
        let row = |geo: &str, quarter: u8, value: u8| format!("R,{geo},2011-Q{quarter},{value},e,%,1\n");
        let rows = [row("AT", 1, 3), row("AT", 2, 4), row("IT", 1, 1), row("IT", 2, 2)];
        format!("metric,geo,TIME_PERIOD,OBS_VALUE,OBS_STATUS,UNIT_MEASURE,DECIMALS\n{}", rows.concat())
    });
    refused(&stat("[1,2,3]", "null"), "json-stat", "expected 4 values");
    refused(&stat("[1,2,3,\"x\"]", "null"), "number", "x");
    refused(&stat(r#"{"4":1}"#, "null"), "json-stat", "beyond");
    refused(&stat(r#"{"x":1}"#, "null"), "json-stat", "index of a value");
    refused(&stat("[]", "null").replace("[1,2,2]", "[1,2,3]"), "json-stat", "2 categories");
    refused(&stat("[]", "null").replace("[1,2,2]", "[1,2]"), "json-stat", "size for each");
    refused(&stat("[null,null,null,null]", "null"), "no-data", "no figure");
    refused(&stat("[1,2,3,4]", "null").replace("2011K2", "2011-X"), "period", "2011-X");
    let huge = stat("[1]", "null").replace("[1,2,2]", "[18446744073709551615,2,2]");
    refused(&huge, "json-stat", "1 categories");
}

#[test]
fn json_stat_of_version_1_and_other_classes() {
    let old = r#"{"rates":{"label":"Rates","status":{"value":[":","e"],"category":{"label":{":":"not available","e":"estimate"}}},
"value":[null,15.0],"dimension":{"id":["geo","time"],"size":[1,2],"geo":{"category":{"index":{"IT":0},"label":{"IT":"Italy"}}},
"time":{"category":{"index":{"2010":0,"2011":1}}}}}}"#;
    let imported =
        check(old, Format::JsonStat, "geo,TIME_PERIOD,OBS_VALUE,OBS_STATUS\nIT,2010,,:\nIT,2011,15.0,e\n");
    assert_eq!(imported.dataflow.as_str(), "rates");
    assert_eq!(imported.codes.keys().map(|id| id.as_str()).collect::<Vec<_>>(), ["OBS_STATUS", "geo"]);
    let two = format!("{{\"a\":{},\"b\":{}}}", &old[9..old.len() - 1], &old[9..old.len() - 1]);
    refused(&two, "collection", "2 data sets");
    refused(r#"{"version":"2.0","class":"collection","link":{"item":[]}}"#, "collection", "own address");
    refused(r#"{"version":"2.0","class":"dimension","category":{}}"#, "collection", "dimension alone");
}

#[test]
fn random_bytes_never_panic() {
    let json = json1(
        r#"{"attributes":[0],"series":{"0":{"attributes":[0,null],"observations":{"0":[1.50,0],"1":[2]}}}}"#,
    );
    let stat = STAT.replace("VALUE", "[1,2,3,4]").replace("STATUS", "null");
    let csv = "STRUCTURE,STRUCTURE_ID,ACTION,A: B,TIME_PERIOD,OBS_VALUE\ndataflow,O:F(1.0),I,a: b,2010,1\n"
        .to_owned();
    let xml = specific("<Group A='x' B='y'/><Series A='x'><Obs TIME_PERIOD='2010' OBS_VALUE='1'/></Series>");
    let mut state = 7_u64;
    let mut next = || {
        state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (state >> 33) as usize
    };
    for seed in [json, stat, csv, xml] {
        for _ in 0..3000 {
            let mut bytes = seed.clone().into_bytes();
            for _ in 0..1 + next() % 4 {
                let (at, with) = (next() % bytes.len(), b"\",:[]{}\n0-x</>&;"[next() % 16]);
                match next() % 3 {
                    0 => bytes[at] = with,
                    1 => bytes.insert(at, with),
                    _ => drop(bytes.drain(at..(at + next() % 9).min(bytes.len()))),
                }
            }
            if let Err(error) = plain("file.x", &bytes) {
                assert!(!error.message.is_empty() && error.file == "file.x");
            }
        }
    }
}
