//! The test repository: a small shop in Python, created with git.

use std::path::{Path, PathBuf};

use nyxcore_tests::TestDatabase;

/// A small shop in Python, as a git repository.
pub struct Repository {
    folder: PathBuf,
    pub url: String,
    /// The number of files in the tree.
    pub files: i64,
    /// The number of files that the analysis reads: Python, and Markdown, of which it counts the lines.
    pub sources: i64,
}

impl Repository {
    pub fn make(db: &TestDatabase) -> Self {
        let folder = db.folder().join("shop");
        std::fs::create_dir(&folder).unwrap();
        let repository = Self {
            url: folder.to_str().unwrap().to_owned(),
            folder,
            files: 14,
            sources: 13,
        };
        repository.git(&["init", "--quiet", "--initial-branch=main"]);
        for module in [
            "order", "cart", "discount", "invoice", "payment", "customer",
        ] {
            repository.write(&format!("shop/{module}.py"), &module_text(module));
            repository.write(&format!("tests/test_{module}.py"), &test_text(module));
        }
        repository.write("README.md", "# Shop\n\nComputes the total of an order.\n");
        repository.write("logo.png", "\u{0}binary\u{0}");
        repository.commit("Open the shop");
        repository
    }

    pub fn change_one_file(&self) {
        let text = module_text("order")
            + "\n\ndef refund_total(order):\n    \"\"\"The total to pay back.\"\"\"\n    return -total(order)\n";
        self.write("shop/order.py", &text);
        self.commit("Pay money back");
    }

    pub fn head(&self) -> String {
        let output = self.git(&["rev-parse", "HEAD"]);
        output.trim().to_owned()
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.folder.join(path);
        std::fs::create_dir_all(path.parent().unwrap_or(Path::new("/"))).unwrap();
        std::fs::write(path, text).unwrap();
    }

    fn commit(&self, message: &str) {
        self.git(&["add", "--all"]);
        self.git(&[
            "-c",
            "user.name=Test",
            "-c",
            "user.email=test@example.org",
            "commit",
            "--quiet",
            "-m",
            message,
        ]);
    }

    fn git(&self, arguments: &[&str]) -> String {
        #[expect(
            clippy::disallowed_methods,
            reason = "the repository under test is made with git itself"
        )]
        let output = std::process::Command::new("git")
            .arg("-C")
            .arg(&self.folder)
            .args(arguments)
            .output()
            .unwrap();
        assert!(
            output.status.success(),
            "git {arguments:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8(output.stdout).unwrap()
    }
}

fn module_text(module: &str) -> String {
    format!(
        r#""""Everything about the {module}."""

import logging

log = logging.getLogger(__name__)


class {title}Error(Exception):
    """What goes wrong with the {module}."""


def total(order):
    """The total of an order in cents."""
    result = 0
    for line in order.lines:
        if line.quantity > 0:
            result += line.price * line.quantity
    return result


def load_{module}(path):
    """Reads the {module} from a file."""
    try:
        with open(path) as file:
            return file.read()
    except OSError as error:
        log.warning("cannot read %s", path)
        raise {title}Error(path) from error


def save_{module}(path, text):
    """Writes the {module} to a file."""
    try:
        with open(path, "w") as file:
            file.write(text)
    except OSError as error:
        raise {title}Error(path) from error


def describe_{module}(value):
    """The {module} in words."""
    return f"{module}: {{value}}"
"#,
        title = module[..1].to_uppercase() + &module[1..],
    )
}

fn test_text(module: &str) -> String {
    format!(
        "from shop.{module} import describe_{module}\n\n\ndef test_describe_{module}():\n    assert describe_{module}(1) == \"{module}: 1\"\n"
    )
}
