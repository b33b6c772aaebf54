//! Vectors of values as text: identifiers, periods, decimals.

use schemas::cid::{Cid, Codec, EntryId, PublisherId};

use crate::vector::{VectorCase, VectorFile, VectorLevel};

/// `id.json`.
pub fn id_file() -> VectorFile {
    let id = Cid::of(Codec::DagCbor, b"assay");
    let text = id.to_string();
    let good = |name: &str, codec, input: &[u8]| {
        let text = Cid::of(codec, input).to_string();
        let case =
            VectorCase::from_text(name, VectorLevel::Id, "ok", &text, "CIDv1, BLAKE3-256, base32 lower case");
        VectorCase { bytes: testkit::hex::encode_hex(&Cid::of(codec, input).to_bytes()), ..case }
    };
    let bad = |name: &str, expect: &str, text: &str, reason: &str| {
        VectorCase::from_text(name, VectorLevel::Id, expect, text, reason)
    };
    let one = "an id has one spelling";
    let cases = vec![
        good("object", Codec::DagCbor, b"assay"),
        good("raw", Codec::Raw, b"assay"),
        good("of no bytes", Codec::Raw, b""),
        bad("upper case", "syntax", &text.to_uppercase(), one),
        bad("mixed case", "syntax", &format!("{}A", &text[..text.len() - 1]), one),
        bad("upper case base", "syntax", &format!("B{}", text[1..].to_uppercase()), one),
        bad("without its base", "syntax", &text[1..], one),
        bad("padded", "syntax", &format!("{text}======"), one),
        bad("blank before", "syntax", &format!(" {text}"), one),
        bad("line feed after", "syntax", &format!("{text}\n"), one),
        bad("a letter too many", "syntax", &format!("{text}a"), one),
        bad("spare bits set", "syntax", &set_spare_bits(&text), "bits beyond the last byte are zero"),
        bad("a letter short", "syntax", &text[..text.len() - 1], "36 bytes"),
        bad("empty", "syntax", "", "36 bytes"),
        bad("base alone", "syntax", "b", "36 bytes"),
        bad("foreign digit", "syntax", &text.replace(&text[5..6], "1"), "base32 has no 1"),
        bad(
            "SHA-256",
            "kind",
            "bafyreib4pff766vhpbxbhjbqqnsh5emeznvujayjj4z2iu533cprgbz23m",
            "BLAKE3-256 only",
        ),
        bad("version 0", "syntax", "QmYwAPJzv5CZsnA625s3Xf2nemtYgPpHdWEz79ojWnPbdG", "CIDv1 only"),
        bad("base58", "syntax", "zdpuAyvkgEDQm9TenwGkd5eNaosSxjgEYd8QatfPetgB1CdEZ", "base32 only"),
    ];
    VectorFile::new("id", "Identifiers as text; for accepted ones, `bytes` is the binary form.", cases)
}

/// Sets the two padding bits that base32 has beyond 36 bytes.
fn set_spare_bits(text: &str) -> String {
    const DIGITS: &str = "abcdefghijklmnopqrstuvwxyz234567";
    let (head, last) = text.split_at(text.len() - 1);
    // 58 digits have 290 bits, an id has 288: the last digit has two spare bits.
    let at = DIGITS.find(last).expect("a digit of base32") | 3;
    format!("{head}{}", &DIGITS[at..=at])
}

/// `period.json`.
pub fn period_file() -> VectorFile {
    let mut cases = Vec::new();
    for (text, value) in [
        ("2010", "2010"),
        ("0001", "0001"),
        ("9999", "9999"),
        ("2010A", "2010"),
        ("2010-A", "2010"),
        ("2010-A1", "2010"),
        ("2010-S1", "2010-S1"),
        ("2010S2", "2010-S2"),
        ("2010-Q3", "2010-Q3"),
        ("2010Q3", "2010-Q3"),
        ("2010-M01", "2010-M01"),
        ("2010-01", "2010-M01"),
        ("2010M1", "2010-M01"),
        ("2010-M12", "2010-M12"),
        ("2009-W53", "2009-W53"),
        ("2010W5", "2010-W05"),
        ("2010-01-31", "2010-01-31"),
        ("2010-D031", "2010-01-31"),
        ("2012-02-29", "2012-02-29"),
        ("2000-02-29", "2000-02-29"),
        ("2012-D366", "2012-12-31"),
        ("9999-12-31", "9999-12-31"),
    ] {
        let case = VectorCase::from_text(text, VectorLevel::Value, "ok", text, "a spelling of SDMX or VTL");
        cases.push(VectorCase { value: Some(value.into()), ..case });
    }
    for (text, reason) in [
        ("", "four digits of a year"),
        ("10", "four digits of a year"),
        ("0000", "years from 1"),
        ("10000", "years to 9999"),
        ("-001", "years from 1"),
        ("2010-", "nothing after the dash"),
        ("2010-00", "months from 1"),
        ("2010-13", "twelve months"),
        ("2010-M00", "months from 1"),
        ("2010-M13", "twelve months"),
        ("2010-M001", "at most two digits"),
        ("2010-Q0", "quarters from 1"),
        ("2010-Q5", "four quarters"),
        ("2010-Q01", "one digit"),
        ("2010-S3", "two half-years"),
        ("2010-A2", "one year"),
        ("2010-W53", "2010 has 52 weeks"),
        ("2010-W00", "weeks from 1"),
        ("2010-02-29", "2010 is no leap year"),
        ("1900-02-29", "1900 is no leap year"),
        ("2010-D366", "365 days"),
        ("20100131", "dashes between"),
        ("2010-1-31", "two digits"),
        ("2010-01-31T00:00:00", "no time of day"),
        ("2010-q1", "letters in capitals"),
        (" 2010", "no blanks"),
        ("2010 ", "no blanks"),
        ("２０１０", "ASCII digits"),
        ("2010-T1", "no third of a year"),
        ("2010/2011", "no ranges"),
    ] {
        cases.push(VectorCase::from_text(&format!("`{text}`"), VectorLevel::Value, "syntax", text, reason));
    }
    VectorFile::new("period", "Periods as text. `value` is the canonical form, used in objects.", cases)
}

/// `address.json`.
pub fn address_file() -> VectorFile {
    let publisher = PublisherId::from(EntryId::of(b"genesis"));
    let mut cases = Vec::new();
    for (tail, canonical, reason) in [
        ("/inflation", "/inflation", "a dataflow, in its latest release"),
        ("/inflation@latest", "/inflation", "the default is left out"),
        ("/inflation/", "/inflation", "slashes at the end are ignored"),
        ("/inflation/USA", "/inflation/USA", "a series"),
        ("/inflation/USA/2010", "/inflation/USA/2010", "a figure"),
        ("/inflation/USA/2010-01", "/inflation/USA/2010-M01", "the canonical spelling of the period"),
        ("/inflation/USA.A/2010@first", "/inflation/USA.A/2010@first", "two values, the first release"),
        ("/inflation/USA/2010@seq=7", "/inflation/USA/2010@seq=7", "a release by sequence number"),
        ("/inflation@asof=2024-02-29", "/inflation@asof=2024-02-29", "a release by date"),
        ("/inflation/_/2010", "/inflation/_/2010", "no identifier besides time"),
        ("/inflation/%5F/2010", "/inflation/%5F/2010", "the single value `_`"),
        ("/inflation/%5f/2010", "/inflation/%5F/2010", "escapes in capitals"),
        ("/inflation/%55SA/2010", "/inflation/USA/2010", "nothing is escaped without need"),
        ("/inflation/1%2EA.50%25", "/inflation/1%2EA.50%25", "a dot and a per cent sign in a value"),
        ("/inflation/a%2Fb%40c%20d", "/inflation/a%2Fb%40c%20d", "the separators of an address in a value"),
    ] {
        let text = format!("assay://{publisher}{tail}");
        let case = VectorCase::from_text(tail, VectorLevel::Value, "ok", &text, reason);
        cases.push(VectorCase { value: Some(format!("assay://{publisher}{canonical}")), ..case });
    }
    for (text, reason) in [
        ("inflation".to_owned(), "the scheme first"),
        (format!("ASSAY://{publisher}/i"), "the scheme in small letters"),
        ("assay://x/inflation".to_owned(), "a publisher id"),
        (format!("assay://{publisher}"), "a dataflow"),
        (format!("assay://{publisher}/1"), "a dataflow is a name"),
        (format!("assay://{publisher}/i/US%4/2010"), "two digits after `%`"),
        (format!("assay://{publisher}/i/US%+1/2010"), "hexadecimal digits after `%`"),
        (format!("assay://{publisher}/i/%ff/2010"), "escapes are UTF-8"),
        (format!("assay://{publisher}/i/USA/20100"), "a period"),
        (format!("assay://{publisher}/i/USA/2010/x"), "nothing after the period"),
        (format!("assay://{publisher}/i@newest"), "a vintage"),
        (format!("assay://{publisher}/i@asof=2024"), "a day after `asof=`"),
        (format!("assay://{publisher}/i@seq=-1"), "a sequence number"),
    ] {
        cases.push(VectorCase::from_text(reason, VectorLevel::Value, "syntax", &text, reason));
    }
    VectorFile::new("address", "Addresses as text. `value` is the canonical spelling.", cases)
}

/// `decimal.json`.
pub fn decimal_file() -> VectorFile {
    let mut cases = Vec::new();
    for (text, value) in [
        ("0", "[0, 0]"),
        ("-0", "[0, 0]"),
        ("0.0", "[0, -1]"),
        ("9.1", "[91, -1]"),
        ("9.10", "[910, -2]"),
        ("+7", "[7, 0]"),
        (".5", "[5, -1]"),
        ("7.", "[7, 0]"),
        ("007", "[7, 0]"),
        ("1.5E+3", "[15, 2]"),
        ("1e3", "[1, 3]"),
        ("1E-6176", "[1, -6176]"),
        ("1E6111", "[1, 6111]"),
        ("-12.50", "[-1250, -2]"),
        ("9999999999999999999999999999999999", "[9999999999999999999999999999999999, 0]"),
        ("0.0000000000000000000000000000000000001", "[1, -37]"),
        // Trailing zeros beyond 34 digits move into the exponent; large numbers are published that way.
        ("10000000000000000000000000000000000", "[1000000000000000000000000000000000, 1]"),
        ("1.0000000000000000000000000000000000", "[1000000000000000000000000000000000, -33]"),
    ] {
        let case =
            VectorCase::from_text(text, VectorLevel::Value, "ok", text, "digits and exponent as written");
        cases.push(VectorCase { value: Some(value.into()), ..case });
    }
    for (text, expect, reason) in [
        ("", "syntax", "at least one digit"),
        (".", "syntax", "at least one digit"),
        ("-", "syntax", "at least one digit"),
        ("e3", "syntax", "at least one digit"),
        ("1e", "syntax", "an exponent has a digit"),
        ("1e+", "syntax", "an exponent has a digit"),
        ("1e00001", "syntax", "at most four digits of exponent"),
        ("1.2.3", "syntax", "one point"),
        ("1,5", "syntax", "a point, not a comma"),
        ("1 000", "syntax", "no separators"),
        ("1_000", "syntax", "no separators"),
        (" 1", "syntax", "no blanks"),
        ("--1", "syntax", "one sign"),
        ("0x10", "syntax", "base ten"),
        ("NaN", "syntax", "numbers only"),
        ("Infinity", "syntax", "numbers only"),
        ("１", "syntax", "ASCII digits"),
        ("10000000000000000000000000000000001", "digits", "at most 34 digits"),
        ("1.0000000000000000000000000000000001", "digits", "zeros between digits count"),
        ("1E6112", "exponent", "decimal128"),
        ("1E-6177", "exponent", "decimal128"),
        ("0.1E-6176", "exponent", "after the decimals are counted"),
    ] {
        cases.push(VectorCase::from_text(&format!("`{text}`"), VectorLevel::Value, expect, text, reason));
    }
    VectorFile::new("decimal", "Decimals as text. `value` is coefficient and exponent.", cases)
}
