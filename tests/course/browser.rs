//! The player's page in a real browser, where one is installed: driven by keys, it says what the terminal says.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::tools::{Folder, handloop};

/// Presses keys, and writes down what the page shows after each.
const DRIVER: &str = r##"<script>
addEventListener("load", () => {
  const seen = [];
  const errors = [];
  addEventListener("error", (event) => errors.push(String(event.message)));
  const shown = () => [...document.querySelectorAll("#sentence, #step, #clock, #loop, #ready, #timers, #tasks, #output")]
    .map((part) => part.innerText.trim()).join("\n");
  const current = () => document.querySelector("#source .current")?.textContent.trim() ?? "";
  const press = (key, shiftKey = false) => {
    document.body.dispatchEvent(new KeyboardEvent("keydown", { key, code: key === " " ? "Space" : key, shiftKey, bubbles: true, cancelable: true }));
    player.go(player.step); // draws at once
  };
  press("Home");
  seen.push([player.step, document.querySelector("#sentence").textContent, shown(), current()]);
  for (let n = 0; n < player.last; n++) {
    press(n % 2 ? "ArrowRight" : " ");
    seen.push([player.step, document.querySelector("#sentence").textContent, shown(), current()]);
  }
  const back = [];
  for (let n = player.last; n > 0; n--) {
    back.push(shown() === seen[n][2] && current() === seen[n][3]);
    if (n % 2) press("ArrowLeft"); else press(" ", true);
  }
  press("End");
  const end = player.step;
  press("ArrowRight");
  press("Home");
  press("ArrowLeft");
  const overflow = document.documentElement.scrollWidth > innerWidth;
  const lines = [`steps ${seen.map(([step]) => step).join(" ")}`, `back ${back.every(Boolean)} ${back.length}`,
    `end ${end}`, `home ${player.step}`, `overflow ${overflow}`, `errors ${errors.join("; ")}`,
    ...seen.map(([step, sentence]) => `sentence ${step} ${sentence.replaceAll("\n", " / ")}`)];
  const result = document.createElement("pre");
  result.id = "driven";
  result.textContent = lines.join("\n");
  document.body.append(result);
});
</script>
"##;

fn browser() -> Option<PathBuf> {
    let names = ["chromium", "chromium-browser", "google-chrome", "chrome"];
    let folders: Vec<PathBuf> = std::env::split_paths(&std::env::var_os("PATH")?).collect();
    folders.iter().flat_map(|folder| names.map(|name| folder.join(name))).find(|path| path.is_file())
}

fn printed(arguments: &[&str]) -> String {
    String::from_utf8(handloop(arguments).stdout).unwrap()
}

fn unescaped(html: &str) -> String {
    html.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
}

/// What the driver wrote, in a window of this size.
fn driven(browser: &Path, folder: &Path, page: &Path, size: &str) -> String {
    let profile = folder.join(format!("profile-{size}"));
    let output = Command::new(browser)
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"])
        .args(["--disable-component-update", "--disable-sync", "--virtual-time-budget=60000", "--dump-dom"])
        .arg(format!("--window-size={size}"))
        .arg(format!("--user-data-dir={}", profile.display()))
        .arg(format!("file://{}", page.display()))
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let dom = String::from_utf8_lossy(&output.stdout).into_owned();
    let driven = dom.split_once("<pre id=\"driven\">").and_then(|(_, rest)| rest.split_once("</pre>"));
    unescaped(driven.unwrap_or_else(|| panic!("the page was not driven: {dom:.500}")).0)
}

#[test]
#[ignore = "a browser is started six times: cargo test --test course browser -- --ignored"]
fn page_is_driven_by_keys_in_a_browser() {
    let Some(browser) = browser() else {
        eprintln!("skipped: no Chromium is installed");
        return;
    };
    let own = Folder::new("browser");
    let folder = &own.0;
    for program in ["gather", "threads", "lost_waker"] {
        let page = folder.join(format!("{program}.html"));
        handloop(&[program, "--html", page.to_str().unwrap()]);
        let html = fs::read_to_string(&page).unwrap().replace("</body>", &format!("{DRIVER}</body>"));
        assert!(html.contains("id = \"driven\""));
        fs::write(&page, html).unwrap();
        for size in ["1280,720", "500,844"] {
            let driven = driven(&browser, folder, &page, size);
            let line = |word: &str| {
                let start = format!("{word} ");
                driven.lines().find_map(|line| line.strip_prefix(&start)).unwrap_or_else(|| panic!("{word}: {driven}"))
            };
            let sentences: Vec<&str> = driven.lines().filter_map(|line| line.strip_prefix("sentence ")).collect();
            let last = sentences.len() - 1;
            let steps: Vec<String> = (0..=last).map(|step| step.to_string()).collect();
            assert_eq!(line("steps"), steps.join(" "), "one key, one step");
            assert_eq!(line("back"), format!("true {last}"), "{program} {size}: back is the same screen");
            assert_eq!((line("end"), line("home")), (&*last.to_string(), "0"));
            assert_eq!(line("overflow"), "false", "{program} {size}: no scrolling to the side");
            assert!(driven.lines().any(|line| line == "errors "), "{}", line("errors"));
            let plain = printed(&[program, "--plain"]);
            for (step, sentence) in sentences.iter().enumerate() {
                let said = sentence.strip_prefix(&format!("{step} ")).unwrap();
                let (_, shown) = plain.split_once(&format!("{program}, step {step} of ")).unwrap();
                let (_, shown) = shown.split_once('\n').unwrap();
                let expected = shown.replace('\n', " / ");
                assert!(expected.starts_with(said), "{program}, step {step}: {said}");
            }
        }
    }
}
