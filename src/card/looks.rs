//! The looks that can be drawn: names and paths come in, whole looks go out. Two are built in; the others are files, which say what
//! differs from a look that they extend. Files are read when a renderer is made, and never while a card is drawn.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use super::CardError;
use super::look::{self, Look};
use super::look_error::{LookError, nearest, shown};
use super::look_file::LookFile;
use super::template::{self, Template};
use super::theme::{self, Choice};

/// The end of the name of a look's file.
const FILE: &str = "toml";
/// The end of the name of a template's file.
const TEMPLATE: &str = "svg";
/// The largest look or theme, in bytes.
const MOST_BYTES: u64 = 1024 * 1024;
/// Names that an error lists.
const LISTED: usize = 20;

/// Where looks and themes are found besides the built-in ones.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Looks {
    directory: Option<PathBuf>,
    /// Whether a look, and whether a theme or a template, may be named by a path.
    look_paths: bool,
    other_paths: bool,
}

impl Looks {
    /// The built-in looks and the files of a directory: `DIRECTORY/NAME.toml` is the look `NAME`.
    #[must_use]
    pub fn new(directory: Option<PathBuf>) -> Self {
        Self { directory, look_paths: false, other_paths: false }
    }

    /// The same, where a name may also be the path of a file: for a person at the command line, never for what a row says.
    #[must_use]
    pub fn and_paths(self) -> Self {
        Self { look_paths: true, other_paths: true, ..self }
    }

    /// The same for themes and templates alone: a person may name them while a row names its look.
    #[must_use]
    pub fn and_paths_but_of_looks(self) -> Self {
        Self { other_paths: true, ..self }
    }

    /// The names of all looks: those that are built in, then those of the directory, sorted.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        let own = self.own(FILE, |name| look::text(name).is_some());
        look::names().into_iter().map(str::to_owned).chain(own).collect()
    }

    /// Whether a name is the path of a look's file and not the name of one.
    #[must_use]
    pub fn is_path(name: &str) -> bool {
        name.contains(['/', '\\']) || Path::new(name).extension().is_some_and(|extension| extension == FILE)
    }

    /// Whether a name is the path of a template's file and not the name of one.
    #[must_use]
    pub fn is_template_path(name: &str) -> bool {
        name.contains(['/', '\\']) || Path::new(name).extension().is_some_and(|extension| extension == TEMPLATE)
    }

    /// The look of that name; a built-in one without touching a file.
    pub(super) fn look(&self, name: &str) -> Result<Look, CardError> {
        if let Some(look) = Look::built_in(name) {
            return Ok(look);
        }
        let unknown = || {
            let known = self.names();
            let near = nearest(name, known.iter().map(String::as_str)).map_or(look::BASE, |(near, _)| near).to_owned();
            CardError::UnknownLook { name: shown(name), nearest: near, known: listed(&known) }
        };
        let path = if Self::is_path(name) {
            self.look_paths.then(|| PathBuf::from(name))
        } else {
            self.in_directory(&format!("{name}.{FILE}")).filter(|path| path.is_file())
        };
        Ok(LookFile::read(&path.ok_or_else(unknown)?)?)
    }

    /// The theme of that name: a bundled one, or a file in the directory or, where paths may be named, anywhere.
    pub(super) fn theme(&self, name: &str) -> Result<Choice, CardError> {
        let Some((file, raw)) = theme::file(name) else { return named_theme(name) };
        let path = if self.other_paths && !self.in_directory(file).is_some_and(|path| path.is_file()) {
            Some(PathBuf::from(file))
        } else {
            self.in_directory(file)
        };
        let path = path.ok_or_else(|| {
            LookError::whole(Path::new(&shown(file)), "a theme's file lies in the directory of looks (--looks DIR)")
        })?;
        Ok(read_theme(&path, raw)?)
    }

    /// The names of all templates: those that are built in, then those of the directory, sorted.
    #[must_use]
    pub fn templates(&self) -> Vec<String> {
        let own = self.own(TEMPLATE, template::is_built_in);
        template::names().into_iter().map(str::to_owned).chain(own).collect()
    }

    /// The template of that name in a look.
    pub(super) fn template(&self, name: &str, look: &Look, scale: u8) -> Result<Template, CardError> {
        if let Some(template) = Template::built_in(name, look, scale)? {
            return Ok(template);
        }
        let unknown = || {
            let known = self.templates();
            let near = nearest(name, known.iter().map(String::as_str)).map_or("", |(near, _)| near).to_owned();
            CardError::UnknownTemplate { name: shown(name), nearest: near, known: listed(&known) }
        };
        let path = if Self::is_template_path(name) {
            self.other_paths.then(|| PathBuf::from(name))
        } else {
            self.in_directory(&format!("{name}.{TEMPLATE}")).filter(|path| path.is_file())
        };
        Ok(Template::read(&path.ok_or_else(unknown)?, look, scale)?)
    }

    /// The text of a template in HTML, which lies in the directory as `NAME.html`.
    ///
    /// # Errors
    /// With what is wrong with the name or the file.
    pub fn html(&self, name: &str) -> Result<String, String> {
        let path = self.in_directory(&format!("{name}.html")).filter(|path| path.is_file());
        let known = || listed(&self.own("html", |_| false));
        let path = path
            .ok_or_else(|| format!("there is none in the directory of looks (--looks DIR); there is: {}", known()))?;
        read_text(&path).map_err(|error| error.to_string())
    }

    /// The names of the directory's files with this ending, sorted, without those that are built in.
    fn own(&self, ending: &str, built_in: impl Fn(&str) -> bool) -> Vec<String> {
        let entries = self.directory.iter().flat_map(|directory| directory.read_dir().into_iter().flatten().flatten());
        let mut own: Vec<String> = entries
            .filter_map(|entry| {
                let name = entry.file_name().into_string().ok()?;
                let stem = name.strip_suffix(ending)?.strip_suffix('.')?;
                (is_name(stem) && !built_in(stem) && entry.path().is_file()).then(|| stem.to_owned())
            })
            .collect();
        own.sort();
        own
    }

    /// The path of a name in the directory; none where that would be no file of the directory itself.
    fn in_directory(&self, name: &str) -> Option<PathBuf> {
        self.directory.as_ref().filter(|_| is_name(name)).map(|directory| directory.join(name))
    }
}

/// The bundled theme of that name.
pub(super) fn named_theme(name: &str) -> Result<Choice, CardError> {
    Choice::bundled(name).ok_or_else(|| {
        let near = nearest(name, theme::names()).map_or("", |(near, _)| near);
        CardError::UnknownTheme { name: shown(name), nearest: near.to_owned() }
    })
}

/// The theme in a file.
pub(super) fn read_theme(path: &Path, raw: bool) -> Result<Choice, LookError> {
    let text = read(path, MOST_BYTES)?;
    Choice::read(&text, raw).map_err(|what| LookError::whole(path, what))
}

/// The text of a look.
pub(super) fn read_text(path: &Path) -> Result<String, LookError> {
    let bytes = read(path, MOST_BYTES)?;
    String::from_utf8(bytes).map_err(|error| {
        let valid = error.utf8_error().valid_up_to();
        let text = String::from_utf8_lossy(&error.as_bytes()[..valid]).into_owned();
        LookError::at(path, &text, valid, "this is not UTF-8")
    })
}

/// The bytes of a file that is no larger than `most`.
pub(super) fn read(path: &Path, most: u64) -> Result<Vec<u8>, LookError> {
    let failed = |error: std::io::Error| LookError::whole(path, format!("cannot be read: {error}"));
    if !path.metadata().map_err(failed)?.is_file() {
        return Err(LookError::whole(path, "is not a file"));
    }
    let mut bytes = Vec::new();
    File::open(path).and_then(|file| file.take(most + 1).read_to_end(&mut bytes)).map_err(failed)?;
    if bytes.len() as u64 > most {
        return Err(LookError::whole(path, format!("is larger than {} MB", most / (1024 * 1024))));
    }
    Ok(bytes)
}

/// Whether a text can be the name of a file in the directory: it leads nowhere else.
pub(super) fn is_name(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= 100
        && !text.starts_with('.')
        && !text.contains(|c: char| matches!(c, '/' | '\\' | ':') || c.is_control())
}

fn listed(names: &[String]) -> String {
    let more = if names.len() > LISTED { ", …" } else { "" };
    names[..names.len().min(LISTED)].join(", ") + more
}

#[cfg(test)]
mod tests {
    use super::*;

    fn directory(files: &[(&str, &str)]) -> (tempfile::TempDir, Looks) {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            std::fs::write(folder.path().join(name), text).unwrap();
        }
        let looks = Looks::new(Some(folder.path().to_owned()));
        (folder, looks)
    }

    #[test]
    fn a_directory_s_looks_are_listed_after_the_built_in_ones() {
        let (_folder, looks) =
            directory(&[("b.toml", ""), ("a.toml", ""), ("night.toml", ""), (".x.toml", ""), ("c.txt", "")]);
        assert_eq!(looks.names(), ["night", "paper", "a", "b"]);
        assert_eq!(Looks::new(Some("/nonexistent".into())).names(), ["night", "paper"]);
    }

    #[test]
    fn names_lead_nowhere_else() {
        let (folder, looks) = directory(&[("a.toml", "")]);
        assert!(looks.look("a").is_ok());
        let path = folder.path().join("a.toml").display().to_string();
        for name in ["../a", "./a", "a.toml", &path, "", ".", "..", "a\0", "/etc/passwd", &"x".repeat(5000)] {
            assert!(matches!(looks.look(name), Err(CardError::UnknownLook { .. })), "{name}");
        }
        assert!(looks.and_paths().look(&path).is_ok());
    }

    #[test]
    fn what_is_no_file_or_too_large_is_refused() {
        let (folder, looks) = directory(&[("big.toml", &"#".repeat(1024 * 1024 + 1))]);
        assert!(looks.look("big").unwrap_err().to_string().ends_with("is larger than 1 MB"));
        let error = looks.and_paths().look(&format!("{}/", folder.path().display())).unwrap_err();
        assert!(error.to_string().ends_with("is not a file"), "{error}");
    }

    #[test]
    fn themes_come_from_the_directory() {
        let (_folder, looks) = directory(&[("broken.tmTheme", "<plist>")]);
        assert!(looks.theme("Nord").is_ok());
        assert!(matches!(looks.theme("drakula"), Err(CardError::UnknownTheme { nearest, .. }) if nearest == "Dracula"));
        assert!(looks.theme("broken.tmTheme").unwrap_err().to_string().contains("broken.tmTheme: is not a .tmTheme"));
        assert!(looks.theme("../broken.tmTheme").is_err());
        assert!(Looks::default().theme("x.tmTheme").unwrap_err().to_string().contains("--looks DIR"));
    }
}
