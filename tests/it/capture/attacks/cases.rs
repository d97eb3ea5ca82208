//! The attacks of `fixtures/pages/attacks.txt`: small pages, each with its files, or addresses to open as they stand.

/// One attack.
#[derive(Debug, Clone)]
pub(super) struct Case {
    pub(super) name: String,
    /// Whether Chromium does it where nobody stops it.
    pub(super) works: bool,
    /// The address to open; without one it is the page's.
    pub(super) address: Option<String>,
    pub(super) files: Vec<File>,
}

/// A file that the attacking server has; the page itself has no name.
#[derive(Debug, Clone, Default)]
pub(super) struct File {
    pub(super) name: String,
    pub(super) status: String,
    pub(super) headers: Vec<String>,
    pub(super) body: String,
}

/// Reads the file. Lines before the first case, headings and empty lines are for people.
pub(super) fn read() -> Vec<Case> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/pages/attacks.txt");
    let mut cases: Vec<Case> = Vec::new();
    for line in std::fs::read_to_string(path).unwrap().lines() {
        if let Some(name) = line.strip_prefix("== ") {
            let (works, name) = name.strip_prefix("~ ").map_or((true, name), |name| (false, name));
            cases.push(Case { name: name.to_owned(), works, address: None, files: Vec::new() });
            continue;
        }
        let Some(case) = cases.last_mut() else { continue };
        if let Some(address) = line.strip_prefix("-> ") {
            case.address = Some(address.to_owned());
        } else if let Some(head) = line.strip_prefix("-- ") {
            case.files.push(File::of(head));
        } else if !line.is_empty() && !line.starts_with("## ") {
            if case.files.is_empty() {
                case.files.push(File::of("page 200"));
            }
            let body = &mut case.files.last_mut().unwrap().body;
            body.push_str(line);
            body.push('\n');
        }
    }
    let mut names: Vec<&str> = cases.iter().map(|case| case.name.as_str()).collect();
    names.sort_unstable();
    assert!(names.windows(2).all(|pair| pair[0] != pair[1]), "each case has a name of its own");
    assert!(cases.iter().all(|case| case.address.is_some() || case.files.iter().any(|file| file.name.is_empty())));
    cases
}

impl File {
    /// Of a line such as `page 302 Location: http://a || Link: b`.
    fn of(head: &str) -> Self {
        let mut words = head.splitn(3, ' ');
        let (name, status) = (words.next().unwrap_or_default(), words.next().unwrap_or("200"));
        let headers = words.next().map(|all| all.split(" || ").map(str::to_owned).collect()).unwrap_or_default();
        let name = if name == "page" { String::new() } else { name.to_owned() };
        Self { name, status: status.to_owned(), headers, body: String::new() }
    }

    /// The same for one run of the case.
    pub(super) fn filled(&self, fill: impl Fn(&str) -> String) -> Self {
        Self {
            name: self.name.clone(),
            status: self.status.clone(),
            headers: self.headers.iter().map(|header| fill(header)).collect(),
            body: fill(&self.body),
        }
    }
}
