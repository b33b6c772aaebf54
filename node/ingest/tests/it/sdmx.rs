//! Messages of SDMX in their three forms, and JSON-stat: small ones, each with one thing to see.

use super::{csv, plain};
use ingest::{Format, Imported};

/// The table as CSV.
#[track_caller]
fn check(text: &str, format: Format, expected: &str) -> Imported {
    let imported = plain("file.x", text.as_bytes()).unwrap_or_else(|fault| panic!("{fault}"));
    assert_eq!(imported.format, format);
    assert_eq!(csv(&imported), expected);
    imported
}

/// A refusal: its code, and a word that it says.
#[track_caller]
fn refused(text: &str, code: &str, word: &str) {
    let fault = plain("file.x", text.as_bytes()).unwrap_err();
    let all = format!("{fault} {}", fault.hint.clone().unwrap_or_default());
    assert!(fault.code == code && all.contains(word), "{} {all}", fault.code);
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
fn series_say_what_their_observations_have() {
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
    assert_eq!((summary.gaps["NaN"], summary.gaps[""]), (1, 1));
    assert_eq!((imported.dataflow.as_str(), imported.publisher.as_deref()), ("FLOW", Some("OFF")));
    assert_eq!(imported.vintage.unwrap().to_string(), "2020-02-03");
    assert_eq!(imported.importer, "sdmx-ml/1");
}

#[test]
fn generic_messages_say_what_is_a_dimension() {
    let series = "<g:Series><g:SeriesKey><g:Value id='TITLE' value='t'/></g:SeriesKey>\
        <g:Attributes><g:Value id='AREA' value='A'/></g:Attributes>\
        <g:Obs><g:ObsDimension value='2010-Q1'/><g:ObsValue value='1'/>\
        <g:Attributes><g:Value id='OBS_STATUS' value='A'/></g:Attributes></g:Obs></g:Series>";
    let expected = "TITLE,TIME_PERIOD,OBS_VALUE,AREA,OBS_STATUS\nt,2010-Q1,1,A,A\n";
    check(&ml("GenericData", series), Format::SdmxMl, expected);
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
fn messages_that_hold_no_data() {
    let root = |name: &str| ml(name, "");
    refused(&root("Structure"), "message", "structure message");
    refused(&root("CrossSectionalData"), "message", "compact");
    refused(&root("GenericMetadata"), "message", "metadata");
    refused(&root("RegistryInterface"), "message", "registry");
    refused(&root("Else"), "message", "not a message");
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
fn messages_that_are_wrong_or_hostile() {
    let obs = |attributes: &str| specific(&format!("<Series A='x'>\n<Obs {attributes}/></Series>"));
    refused(&obs("TIME_PERIOD='2010-01-01/P1M' OBS_VALUE='1'"), "period", "range");
    refused(&obs("TIME_PERIOD='2010' OBS_VALUE='x'"), "number", "file.x:3, column `OBS_VALUE`");
    refused(&obs("TIME_PERIOD='2010' TIME_PERIOD='2011' OBS_VALUE='1'"), "xml", "duplicate");
    refused(&obs("TIME_PERIOD='2010' OBS_VALUE='&a;'"), "xml", "file.x:3");
    refused(&obs("TIME_PERIOD='2010' OBS_VALUE='1'/><Obs TIME_PERIOD='2010' OBS_VALUE='2'"), "duplicate", "before");
    refused(&obs("OBS_VALUE='1'/><Obs TIME_PERIOD='2010' OBS_VALUE='2'"), "identifier", "TIME_PERIOD");
    refused(&obs("OBS_VALUE='1'").replace("Replace", "Delete"), "deletion", "deletes");
    let all: String = (0..200).map(|at| format!("A{at}='1' ")).collect();
    refused(&obs(&all), "columns", "128");
    let text = obs("TIME_PERIOD='2010' OBS_VALUE='1'");
    refused(&text.replace("?>", "?><!DOCTYPE a [<!ENTITY a 'b'>]>"), "xml", "DOCTYPE");
    refused(&text[..text.len() - 30], "xml", "cut off");
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
    let expected = "FREQ,AREA,TIME_PERIOD,OBS_VALUE,COLLECTION,OBS_STATUS\nA,x,2010,1.50,S,A\nA,x,2011,,S,M\n";
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
fn labels_become_code_lists() {
    let both = "STRUCTURE,STRUCTURE_ID,ACTION,AREA:Area,REF_AREA: Place,TIME_PERIOD: Time,OBS_VALUE: Value,NOTE: Note\n\
        dataflow,O:FLOW(1.0): The flow,I,A: Aland,FRA: France,2010: 2010,1: 1,See: here\n\
        dataflow,O:FLOW(1.0): The flow,I,B: Bland,AUT: Autriche,2010,2,See: there\n";
    let expected = "AREA,REF_AREA,TIME_PERIOD,OBS_VALUE,NOTE\nA,FRA,2010,1,See: here\nB,AUT,2010,2,See: there\n";
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
