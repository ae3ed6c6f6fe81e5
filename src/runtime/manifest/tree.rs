//! From the parser's events to values: tags, aliases, merge keys.

use super::scalar::{self, Kind, Scalar, Timestamp};
use super::{MAX_BYTES, MAX_DEPTH, MAX_VALUES, ManifestError};
use granit_parser::{Event, Marker, Options, Parser, ScalarStyle, ScanError, Span, StructureStyle, Tag};
use std::collections::{HashMap, HashSet};

/// The most digits that Python turns into a number without being asked to.
const LONGEST_INTEGER: usize = 4300;

const NAMESPACE: &str = "tag:yaml.org,2002:";

/// What a document holds.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// A scalar.
    Scalar(Scalar),
    /// `!!binary`: the text, in base 64, and its place for whoever decodes it.
    Binary(String, (usize, usize)),
    /// A sequence.
    List(Vec<Value>),
    /// A mapping, merged keys first; a later entry of the same key wins.
    Map(Vec<(Value, Value)>),
    /// `!!set`.
    Set(Vec<Value>),
    /// `!!omap` and `!!pairs`: pairs in order.
    Pairs(Vec<(Value, Value)>),
}

impl Value {
    /// How many values this is, itself included, and how many levels of them lie below it.
    fn size(&self) -> Size {
        let both = |(key, value): &(Self, Self)| [key.size(), value.size()];
        match self {
            Self::Scalar(_) | Self::Binary(..) => Size { values: 1, levels: 0 },
            Self::List(items) | Self::Set(items) => Size::around(items.iter().map(Self::size)),
            Self::Map(pairs) | Self::Pairs(pairs) => Size::around(pairs.iter().flat_map(both)),
        }
    }
}

#[derive(Debug, Clone, Copy)]
struct Size {
    values: usize,
    levels: usize,
}

impl Size {
    fn around(parts: impl Iterator<Item = Self>) -> Self {
        parts.fold(Self { values: 1, levels: 0 }, |whole, part| Self {
            values: whole.values + part.values,
            levels: whole.levels.max(part.levels + 1),
        })
    }
}

/// A document, and where its content starts.
#[derive(Debug, Clone, PartialEq)]
pub struct Document {
    /// What it holds; null if it is empty.
    pub value: Value,
    /// From 1.
    pub line: usize,
    /// From 1, in characters.
    pub column: usize,
}

/// The documents of a text, in order; an empty one is null.
///
/// # Errors
/// [`ManifestError`], with the place: no YAML, a tag without a meaning, a bound exceeded, an alias inside of what it
/// stands for.
pub fn load(text: &str) -> Result<Vec<Document>, ManifestError> {
    if text.len() > MAX_BYTES {
        return Err(error_at(
            1,
            1,
            format!("the text is {} bytes long, more than the {MAX_BYTES} that are read", text.len()),
        ));
    }
    refuse_unprintable(text)?;
    let mut loader = Loader {
        parser: Parser::new_from_str_with_options(text, options(text)),
        anchors: HashMap::new(),
        kept: 0,
        names: HashSet::new(),
        values: 0,
        flow: 0,
    };
    let mut documents = Vec::new();
    while let Some((event, _)) = loader.next()? {
        if let Event::DocumentStart(..) = event {
            loader.anchors.clear();
            loader.kept = 0;
            loader.names.clear();
            let (first, span) = loader.expect()?;
            let value = loader.value(first, span, 0)?.0;
            documents.push(Document { value, line: span.start.line(), column: span.start.col() + 1 });
        }
    }
    Ok(documents)
}

fn options(text: &str) -> Options {
    let mut options = Options::default();
    options.flow_nesting_limit = MAX_DEPTH;
    options.block_nesting_limit = MAX_DEPTH;
    options.emit_comments = false;
    options.block_scalar_eof_without_line_feed = true;
    // Only to refuse a name that is given twice, as PyYAML does.
    options.emit_anchor_events = text.contains('&');
    options
}

/// YAML allows no control characters; PyYAML refuses them before it parses. Three characters that are line breaks only
/// in YAML 1.1 are refused as well: the parser takes them for text, PyYAML does not.
fn refuse_unprintable(text: &str) -> Result<(), ManifestError> {
    let printable = |each: char| {
        matches!(each, '\t' | '\n' | '\r' | ' '..='~' | '\u{A0}'..='\u{D7FF}' | '\u{E000}'..='\u{FFFD}' | '\u{10000}'..)
            && !matches!(each, '\u{2028}' | '\u{2029}')
    };
    // Almost every text is plain, and this looks at bytes.
    if text.bytes().all(|each| matches!(each, b'\t' | b'\n' | b'\r' | b' '..=b'~')) {
        return Ok(());
    }
    let mut place = (1, 1);
    for (at, each) in text.char_indices() {
        let leads_the_text = at == 0 && each == '\u{FEFF}';
        if !printable(each) && !leads_the_text {
            return Err(error_at(place.0, place.1, format!("the character U+{:04X} is not allowed", u32::from(each))));
        }
        place = if each == '\n' { (place.0 + 1, 1) } else { (place.0, place.1 + 1) };
    }
    Ok(())
}

struct Loader<'a> {
    parser: Parser<'a, granit_parser::StrInput<'a>>,
    /// What an anchor stands for, with its size; `None` while it is being read.
    anchors: HashMap<usize, Option<(Node, Size)>>,
    /// How many values `anchors` holds.
    kept: usize,
    names: HashSet<String>,
    values: usize,
    /// How many flow collections are open.
    flow: usize,
}

/// A value with what only its surroundings can interpret.
type Node = (Value, Role);

/// How a node counts as a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    Ordinary,
    /// `<<`.
    Merge,
    /// `=`.
    Default,
}

impl<'a> Loader<'a> {
    fn next(&mut self) -> Result<Option<(Event<'a>, Span)>, ManifestError> {
        loop {
            let next = self.parser.next_event().transpose().map_err(|error| from_scan(&error))?;
            let Some((Event::Anchor(_, name), span)) = &next else { return Ok(next) };
            // In YAML 1.1, as PyYAML reads it, any other character ends the name, and the text would mean something else.
            if !name.bytes().all(|each| each.is_ascii_alphanumeric() || matches!(each, b'-' | b'_')) {
                let reason = format!("the anchor {name:?} has a name of other than letters, digits, '-' and '_'");
                return Err(error(&span.start, reason));
            }
            if !self.names.insert(name.to_string()) {
                return Err(error(&span.start, format!("the anchor {name:?} is given twice")));
            }
        }
    }

    fn expect(&mut self) -> Result<(Event<'a>, Span), ManifestError> {
        self.next()?.ok_or_else(|| error_at(1, 1, "the text ends in the middle of a document".to_owned()))
    }

    fn value(&mut self, event: Event<'a>, span: Span, depth: usize) -> Result<Node, ManifestError> {
        let node = self.node(event, span, depth)?;
        match node.1 {
            Role::Ordinary => Ok(node),
            Role::Default => Err(error(&span.start, "'=' has a meaning only as a key".to_owned())),
            Role::Merge => Err(error(&span.start, "'<<' has a meaning only as a key".to_owned())),
        }
    }

    fn node(&mut self, event: Event<'a>, span: Span, depth: usize) -> Result<Node, ManifestError> {
        if depth > MAX_DEPTH {
            return Err(too_deep(&span));
        }
        self.count(1, &span)?;
        let (anchor, node) = match event {
            Event::Alias(anchor) => return self.aliased(anchor, &span, depth),
            Event::Scalar(text, style, anchor, tag) => {
                self.refuse_question(&text, style, &span)?;
                (anchor, scalar_value(&text, style, tag.as_deref(), &span)?)
            }
            Event::SequenceStart(style, anchor, tag) => {
                self.open(anchor, style);
                let value = self.sequence(tag.as_deref(), &span, depth)?;
                self.close(style);
                (anchor, (value, Role::Ordinary))
            }
            Event::MappingStart(style, anchor, tag) => {
                self.open(anchor, style);
                let value = self.mapping(tag.as_deref(), &span, depth)?;
                self.close(style);
                (anchor, (value, Role::Ordinary))
            }
            _ => return Err(error(&span.start, "a value was expected here".to_owned())),
        };
        if anchor > 0 {
            self.keep(anchor, &node, &span)?;
        }
        Ok(node)
    }

    /// Anchors within anchors keep the same values again and again, so what is kept has a bound of its own.
    fn keep(&mut self, anchor: usize, node: &Node, span: &Span) -> Result<(), ManifestError> {
        let size = node.0.size();
        self.kept += size.values;
        if self.kept > MAX_VALUES {
            return Err(error(&span.start, format!("anchors stand for more than {MAX_VALUES} values together")));
        }
        self.anchors.insert(anchor, Some((node.clone(), size)));
        Ok(())
    }

    fn open(&mut self, anchor: usize, style: StructureStyle) {
        if anchor > 0 {
            self.anchors.insert(anchor, None);
        }
        self.flow += usize::from(style == StructureStyle::Flow);
    }

    fn close(&mut self, style: StructureStyle) {
        self.flow -= usize::from(style == StructureStyle::Flow);
    }

    /// In a flow collection PyYAML takes `?` for the sign of a key, the parser for text: refused, not guessed.
    fn refuse_question(&self, text: &str, style: ScalarStyle, span: &Span) -> Result<(), ManifestError> {
        if self.flow > 0 && style == ScalarStyle::Plain && text.starts_with('?') {
            return Err(error(&span.start, "a '?' in a flow collection must be quoted".to_owned()));
        }
        Ok(())
    }

    fn aliased(&mut self, anchor: usize, span: &Span, depth: usize) -> Result<Node, ManifestError> {
        let size = match self.anchors.get(&anchor) {
            Some(Some((_, size))) => *size,
            Some(None) => return Err(error(&span.start, "an alias inside of what it stands for".to_owned())),
            None => return Err(no_anchor(span)),
        };
        // Both before it is copied: this is where a small text explodes, or grows deeper than it looks.
        self.count(size.values, span)?;
        if depth + size.levels > MAX_DEPTH {
            return Err(too_deep(span));
        }
        let kept = self.anchors.get(&anchor).and_then(Option::as_ref);
        kept.map(|(node, _)| node.clone()).ok_or_else(|| no_anchor(span))
    }

    fn count(&mut self, more: usize, span: &Span) -> Result<(), ManifestError> {
        self.values += more;
        if self.values > MAX_VALUES {
            return Err(error(&span.start, format!("amounts to more than {MAX_VALUES} values, aliases written out")));
        }
        Ok(())
    }

    fn sequence(&mut self, tag: Option<&Tag>, span: &Span, depth: usize) -> Result<Value, ManifestError> {
        let mut items = Vec::new();
        loop {
            let (event, at) = self.expect()?;
            if event == Event::SequenceEnd {
                break;
            }
            items.push((self.value(event, at, depth + 1)?.0, at));
        }
        match known_tag(tag, span)?.as_deref() {
            None | Some("seq") => Ok(Value::List(items.into_iter().map(|(value, _)| value).collect())),
            Some("omap" | "pairs") => items.into_iter().map(single_pair).collect::<Result<_, _>>().map(Value::Pairs),
            Some(other) => Err(error(&span.start, format!("the tag {other:?} does not fit a sequence"))),
        }
    }

    fn mapping(&mut self, tag: Option<&Tag>, span: &Span, depth: usize) -> Result<Value, ManifestError> {
        let mut merged = Vec::new();
        let mut own = Vec::new();
        loop {
            let (event, at) = self.expect()?;
            if event == Event::MappingEnd {
                break;
            }
            let (key, role) = self.node(event, at, depth + 1)?;
            let (event, value_at) = self.expect()?;
            let (value, _) = self.value(event, value_at, depth + 1)?;
            if role == Role::Merge {
                merge(value, &mut merged, &value_at)?;
            } else {
                refuse_unhashable(&key, &at)?;
                own.push((key, value));
            }
        }
        merged.append(&mut own);
        match known_tag(tag, span)?.as_deref() {
            None | Some("map") => Ok(Value::Map(merged)),
            Some("set") => Ok(Value::Set(merged.into_iter().map(|(key, _)| key).collect())),
            Some(other) => Err(error(&span.start, format!("the tag {other:?} does not fit a mapping"))),
        }
    }
}

/// Takes over the entries of a mapping, or of a list of mappings, the first of which has precedence.
fn merge(from: Value, into: &mut Vec<(Value, Value)>, at: &Span) -> Result<(), ManifestError> {
    match from {
        Value::Map(mut pairs) => into.append(&mut pairs),
        Value::List(items) => {
            for item in items.into_iter().rev() {
                let Value::Map(mut pairs) = item else { return Err(no_mapping(at)) };
                into.append(&mut pairs);
            }
        }
        _ => return Err(no_mapping(at)),
    }
    Ok(())
}

fn too_deep(span: &Span) -> ManifestError {
    error(&span.start, format!("nested deeper than {MAX_DEPTH} levels"))
}

fn no_anchor(span: &Span) -> ManifestError {
    error(&span.start, "an alias without an anchor before it".to_owned())
}

fn no_mapping(at: &Span) -> ManifestError {
    error(&at.start, "only a mapping or a list of mappings can be merged".to_owned())
}

fn refuse_unhashable(key: &Value, at: &Span) -> Result<(), ManifestError> {
    match key {
        Value::Scalar(_) | Value::Binary(..) => Ok(()),
        _ => Err(error(&at.start, "a list, a mapping or a set cannot be a key".to_owned())),
    }
}

fn single_pair((value, at): (Value, Span)) -> Result<(Value, Value), ManifestError> {
    let Value::Map(pairs) = value else {
        return Err(error(&at.start, "a mapping of one entry was expected here".to_owned()));
    };
    let mut pairs = pairs.into_iter();
    match (pairs.next(), pairs.next()) {
        (Some(pair), None) => Ok(pair),
        _ => Err(error(&at.start, "a mapping of one entry was expected here".to_owned())),
    }
}

const KNOWN: [&str; 13] =
    ["null", "bool", "int", "float", "binary", "timestamp", "omap", "pairs", "set", "str", "seq", "map", "merge"];

/// The name of a tag that means something; `None` for no tag and for `!`, which PyYAML takes for none.
fn known_tag(tag: Option<&Tag>, span: &Span) -> Result<Option<String>, ManifestError> {
    let Some(tag) = tag else { return Ok(None) };
    let original = tag.original();
    if original == "!" {
        return Ok(None);
    }
    match tag.suffix_in_namespace(NAMESPACE) {
        Some(name) if KNOWN.contains(&name.as_ref()) => Ok(Some(name.into_owned())),
        _ => Err(error(&span.start, format!("the tag {original:?} has no meaning in a manifest"))),
    }
}

fn scalar_value(text: &str, style: ScalarStyle, tag: Option<&Tag>, span: &Span) -> Result<Node, ManifestError> {
    let kind = match known_tag(tag, span)?.as_deref() {
        None if tag.is_none() && style != ScalarStyle::Plain => Kind::Text,
        None => scalar::resolve(text),
        Some("null") => Kind::Null,
        Some("bool") => Kind::Bool,
        Some("int") => Kind::Int,
        Some("float") => Kind::Float,
        Some("timestamp") => Kind::Timestamp,
        Some("str") => Kind::Text,
        Some("merge") => Kind::Merge,
        Some("binary") if !text.is_ascii() => return Err(error(&span.start, "this is no base 64".to_owned())),
        Some("binary") => {
            let place = (span.start.line(), span.start.col() + 1);
            return Ok((Value::Binary(text.to_owned(), place), Role::Ordinary));
        }
        Some(other) => return Err(error(&span.start, format!("the tag {other:?} does not fit a scalar"))),
    };
    let no = |what: &str| error(&span.start, format!("this is no {what}"));
    let scalar = match kind {
        Kind::Null => Scalar::Null,
        Kind::Bool => Scalar::Bool(scalar::read_bool(text).ok_or_else(|| no("boolean"))?),
        Kind::Int if text.len() > LONGEST_INTEGER => return Err(no("integer of a sensible length")),
        Kind::Int => Scalar::Int(scalar::read_int(text).ok_or_else(|| no("integer"))?),
        Kind::Float => Scalar::Float(scalar::read_float(text).ok_or_else(|| no("number"))?),
        Kind::Timestamp => Scalar::Timestamp(real_timestamp(text).ok_or_else(|| no("timestamp that exists"))?),
        Kind::Text | Kind::Merge | Kind::Default => Scalar::Text(text.to_owned()),
    };
    let role = match kind {
        Kind::Merge => Role::Merge,
        Kind::Default => Role::Default,
        _ => Role::Ordinary,
    };
    Ok((Value::Scalar(scalar), role))
}

fn real_timestamp(text: &str) -> Option<Timestamp> {
    scalar::read_timestamp(text).filter(Timestamp::exists)
}

fn from_scan(scan: &ScanError) -> ManifestError {
    error(scan.marker(), scan.info())
}

fn error(at: &Marker, reason: String) -> ManifestError {
    error_at(at.line(), at.col() + 1, reason)
}

fn error_at(line: usize, column: usize, reason: String) -> ManifestError {
    ManifestError { line, column, reason }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    fn text(value: &str) -> Value {
        Value::Scalar(Scalar::Text(value.to_owned()))
    }

    #[allow(clippy::expect_used, reason = "called by tests only: what cannot fail here tells where if it does")]
    fn values(yaml: &str) -> Vec<Value> {
        load(yaml).expect("YAML").into_iter().map(|document| document.value).collect()
    }

    #[allow(clippy::expect_used, reason = "as above")]
    fn refusal(yaml: &str) -> String {
        load(yaml).expect_err("no YAML").to_string()
    }

    #[test]
    fn documents_come_in_order_and_empty_ones_are_null() {
        let documents = values("a\n---\n---\nb\n");
        assert_eq!(documents, [text("a"), Value::Scalar(Scalar::Null), text("b")]);
        assert!(load("# nothing\n").unwrap().is_empty());
    }

    #[test]
    fn merged_entries_come_first_so_that_own_ones_win() {
        let documents = values("x: &x {a: 1st}\ny: {<<: *x, a: own}\n");
        let Value::Map(pairs) = &documents[0] else { panic!() };
        let merged = Value::Map(vec![(text("a"), text("1st")), (text("a"), text("own"))]);
        assert_eq!(pairs[1].1, merged);
    }

    #[test]
    fn a_quoted_merge_sign_is_a_key() {
        let Value::Map(pairs) = &values("'<<': v")[0] else { panic!() };
        assert_eq!(pairs[0].0, text("<<"));
    }

    #[test]
    fn an_unknown_tag_is_refused_with_its_place() {
        assert_eq!(
            refusal("a:\n  b: !ruby/object x"),
            "line 2, column 19: the tag \"!ruby/object\" has no meaning in a manifest"
        );
    }

    #[test]
    fn aliases_that_explode_are_refused_before_they_do() {
        let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
        for level in 1..12 {
            let before = level - 1;
            let aliases = vec![format!("*a{before}"); 10].join(", ");
            bomb = [bomb, format!("a{level}: &a{level} [{aliases}]\n")].concat();
        }
        assert!(refusal(&bomb).contains("aliases written out"));
    }

    #[test]
    fn an_alias_inside_of_its_anchor_is_refused() {
        assert!(refusal("a: &a [*a]").contains("inside of what it stands for"));
        assert!(refusal("a: *b").starts_with("line 1, column 4"));
    }

    #[test]
    fn depth_is_refused_not_followed() {
        assert!(load(&("[".repeat(100_000) + &"]".repeat(100_000))).is_err());
        assert!(load(&("- ".repeat(100_000) + "x")).is_err());
        assert!(load(&("[".repeat(100) + &"]".repeat(100))).is_ok());
    }

    #[test]
    fn a_control_character_is_refused_with_its_place() {
        assert_eq!(refusal("a: b\nc: \u{7}"), "line 2, column 4: the character U+0007 is not allowed");
    }

    #[test]
    fn a_date_that_does_not_exist_is_refused() {
        assert_eq!(refusal("a: 2001-02-29"), "line 1, column 4: this is no timestamp that exists");
        assert!(load("a: 2000-02-29").is_ok());
        assert!(refusal("a: 2001-12-14 25:00:00").contains("exists"));
    }

    #[test]
    fn a_list_as_a_key_is_refused() {
        assert!(refusal("? [a]\n: b").contains("cannot be a key"));
    }

    #[test]
    fn a_document_knows_where_its_content_starts() {
        let places = |yaml| load(yaml).unwrap().iter().map(|each| (each.line, each.column)).collect::<Vec<_>>();
        assert_eq!(places("# one\na: b\n---\n\n  - c\n"), [(2, 1), (5, 3)]);
    }

    #[test]
    fn a_question_mark_in_a_flow_collection_is_refused() {
        assert!(refusal("a: [b, ?c]").starts_with("line 1, column 8"));
        assert!(load("a: [b, '?c']\nd: ?e\n").is_ok());
    }

    #[test]
    fn a_block_scalar_at_the_end_of_the_text_gets_no_line_break() {
        assert_eq!(values("|\n  a"), [text("a")]);
    }

    #[test]
    fn aliases_that_nest_what_is_deep_are_refused() {
        let (open, close) = ("[".repeat(150), "]".repeat(150));
        assert!(refusal(&format!("a: &a {open}{close}\nb: {open}*a{close}")).contains("deeper than 200"));
        assert!(load(&format!("a: &a {open}{close}\nb: [*a]")).is_ok());
    }

    #[test]
    fn anchors_within_anchors_do_not_keep_without_bound() {
        let anchors = (0..150).map(|at| format!("&a{at} [")).collect::<Vec<_>>().concat();
        let text = anchors + &"x,".repeat(10_000) + &"]".repeat(150);
        assert!(refusal(&text).contains("anchors stand for more than"));
    }

    #[test]
    fn an_anchor_whose_name_ends_elsewhere_in_yaml_1_1_is_refused() {
        assert!(refusal("&a: b").starts_with("line 1, column 1: the anchor \"a:\""));
        assert!(load("a: &a-1_B b").is_ok());
    }
}
