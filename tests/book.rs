//! The course as a book, where mdBook is installed: each page is there, every link in it leads somewhere, and nothing
//! comes from the network.

use std::fs;
use std::path::{Component, Path, PathBuf};
use std::process::{Command, Stdio};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display())).replace("\r\n", "\n")
}

/// The book in a folder of its own, gone at the end. A link out of it means what it means in `book/`.
struct Book(PathBuf);

impl Book {
    /// `None`: mdBook is not installed.
    fn build() -> Option<Self> {
        let mdbook = || {
            let mut command = Command::new("mdbook");
            command.stdin(Stdio::null()).current_dir(root());
            command
        };
        if mdbook().arg("--version").output().is_err() {
            return None;
        }
        let book = Book(std::env::temp_dir().join(format!("handloop-book-{}", std::process::id())));
        let output = mdbook().args(["build", "lessons", "--dest-dir"]).arg(&book.0).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success() && !said.contains("WARN") && !said.contains("ERROR"), "{said}");
        Some(book)
    }

    /// The file to which a link leads from a page. Without `.` and `..`, since `book/` itself need not be there.
    fn target(&self, page: &str, link: &str) -> PathBuf {
        let mut way: Vec<&str> = page.split('/').collect();
        way.pop();
        for part in Path::new(link).components() {
            match part {
                Component::ParentDir => match way.pop() {
                    // Out of the book: nothing but the project may be there.
                    None => way.push(".."),
                    Some("..") => panic!("{page}: {link} leads out of the project"),
                    Some(_) => {}
                },
                Component::Normal(name) => way.push(name.to_str().unwrap()),
                Component::CurDir => {}
                _ => panic!("{page}: {link} is no relative link"),
            }
        }
        match way.split_first() {
            Some((&"..", rest)) => root().join(rest.join("/")),
            _ => self.0.join(way.join("/")),
        }
    }
}

impl Drop for Book {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// What an element links to, or loads: its name, and the value of the attribute.
fn links(page: &str) -> Vec<(&str, String)> {
    let mut links = Vec::new();
    for element in page.split('<').skip(1).filter_map(|rest| rest.split('>').next()) {
        let name = element.split_whitespace().next().unwrap_or("");
        for attribute in [" href=\"", " src=\""] {
            if let Some((value, _)) = element.split_once(attribute).and_then(|(_, rest)| rest.split_once('"')) {
                links.push((name, value.replace("&amp;", "&")));
            }
        }
    }
    links
}

/// The pages that SUMMARY.md lists, as files of the book.
fn listed() -> Vec<String> {
    let summary = read(&root().join("lessons/SUMMARY.md"));
    let listed = summary.split("](").skip(1).filter_map(|rest| rest.split_once(".md)"));
    listed.map(|(page, _)| format!("{page}.html")).collect()
}

#[test]
fn book_is_whole() {
    let Some(book) = Book::build() else {
        eprintln!("skipped: mdBook is not installed");
        return;
    };
    let mut pages = listed();
    assert!(pages.len() >= 16, "{pages:?}");
    pages.extend(["index.html", "toc.html", "print.html"].map(str::to_owned));
    let (mut pieces, mut runs) = (0, 0);
    for page in &pages {
        let text = read(&book.0.join(page));
        assert!(!text.contains("class=\"playground\""), "{page}: a piece of a file is no program to run");
        for (element, link) in links(&text) {
            if link.starts_with("http") {
                assert_eq!(element, "a", "{page}: {link} is loaded from the network");
                continue;
            }
            let (file, anchor) = link.split_once('#').unwrap_or((&link, ""));
            let target = if file.is_empty() { book.0.join(page) } else { book.target(page, file) };
            assert!(target.is_file(), "{page}: {link} leads nowhere");
            if !anchor.is_empty() && target.extension().is_some_and(|end| end == "html") {
                pieces += 1;
                assert!(read(&target).contains(&format!("id=\"{anchor}\"")), "{page}: {link} has no such place");
            }
            if page.starts_with("ch") && link == "run.html" {
                runs += 1;
                assert_eq!(read(&target), read(&root().join("lessons").join(page).with_file_name("run.html")));
            }
        }
    }
    let chapters = pages.iter().filter(|page| page.starts_with("ch")).count();
    assert!(runs >= chapters && pieces > 100, "{runs} links to a run, {pieces} to a part of a page");
}

#[test]
fn links_are_found_and_lead_where_a_browser_goes() {
    assert_eq!(
        links("<p>x</p><a class=\"y\" href=\"a.html#b\">a</a><img src=\"c.svg\" alt=\"d\"> &lt;a href=&quot;"),
        [("a", "a.html#b".to_owned()), ("img", "c.svg".to_owned())]
    );
    let book = Book(std::env::temp_dir().join("handloop-book-never-made"));
    assert_eq!(book.target("ch01/README.html", "../README.html"), book.0.join("README.html"));
    assert_eq!(book.target("ch01/README.html", "./run.html"), book.0.join("ch01/run.html"));
    assert_eq!(book.target("ch01/README.html", "../../src/lib.rs"), root().join("src/lib.rs"));
}
