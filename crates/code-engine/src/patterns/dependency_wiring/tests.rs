//! How the engine recognises the way in which components receive their dependencies.
use super::super::fixture::found;

#[test]
fn java_components_take_dependencies_by_constructors_or_fields() {
    let names = ["A", "B", "C", "D", "E", "F"];
    let of = |body: &dyn Fn(&str) -> String| {
        let sources: Vec<(String, String)> = names
            .map(|name| {
                let text = format!(
                    "import org.springframework.stereotype.Service;\n\n@Service\npublic class {name} {{\n{}}}\n",
                    body(name)
                );
                (format!("src/{name}.java"), text)
            })
            .into();
        let sources: Vec<(&str, &str)> = sources
            .iter()
            .map(|(path, text)| (path.as_str(), text.as_str()))
            .collect();
        found("dependency_wiring", &sources)
    };
    assert_eq!(
        of(&|name| format!(
            "  private final Clock clock;\n\n  public {name}(Clock clock) {{\n    this.clock = clock;\n  }}\n"
        )),
        ["dependency_wiring/java/injection/constructor 6/6"]
    );
    assert_eq!(
        of(&|_| "  @Autowired\n  private Clock clock;\n\n\n\n  void f() {}\n".to_owned()),
        ["dependency_wiring/java/injection/field 6/6"]
    );
    assert!(of(&|_| "  void f() {}\n".to_owned()).is_empty());
    let parameter = "  @Bean\n  public Clock clock(\n    @Autowired(required = false) Zone zone,\n    @Named Other other,\n    More more) {\n    return null;\n  }\n";
    assert!(of(&|_| parameter.to_owned()).is_empty());
}

#[test]
fn providers_take_dependencies_by_constructors() {
    let classes = |body: &str| -> String {
        let classes: String = (0..6)
            .map(|n| format!("@Injectable()\nexport class S{n} {{\n  {body}\n}}\n\n"))
            .collect();
        format!("import {{ Injectable }} from '@nestjs/common';\n\n{classes}")
    };
    assert_eq!(
        found(
            "dependency_wiring",
            &[(
                "src/a.ts",
                &classes("constructor(private readonly clock: Clock) {}")
            )]
        ),
        ["dependency_wiring/typescript/injection/constructor 6/6"]
    );
    assert!(found("dependency_wiring", &[("src/a.ts", &classes("run() {}"))]).is_empty());
}

#[test]
fn route_handlers_depend() {
    let handlers = |parameter: &str| -> String {
        let handlers: String = (0..6)
            .map(|n| format!("@router.get('/{n}')\ndef read_{n}({parameter}):\n    return 1\n\n"))
            .collect();
        format!("from fastapi import APIRouter, Depends\n\nrouter = APIRouter()\n\n{handlers}")
    };
    assert_eq!(
        found(
            "dependency_wiring",
            &[("app/a.py", &handlers("db=Depends(session)"))]
        ),
        ["dependency_wiring/python/handlers/depends 6/6"]
    );
    assert!(found("dependency_wiring", &[("app/a.py", &handlers("x"))]).is_empty());
}

#[test]
fn go_types_are_made_by_functions() {
    let source = |constructor: bool| -> String {
        let types: String = (0..6)
            .map(|n| {
                let made = if constructor { format!("func NewT{n}() *T{n} {{ return nil }}\n") } else { String::new() };
                format!("type T{n} struct{{}}\n{made}func (t *T{n}) A() {{}}\nfunc (t *T{n}) B() {{}}\nfunc (t *T{n}) C() {{}}\n")
            })
            .collect();
        format!("package a\n\n{types}")
    };
    assert_eq!(
        found("dependency_wiring", &[("a/a.go", &source(true))]),
        ["dependency_wiring/go/constructors/new 6/6"]
    );
    assert!(found("dependency_wiring", &[("a/a.go", &source(false))]).is_empty());
}

#[test]
fn objects_of_a_library_are_not_injected() {
    let class = |name: &str| {
        format!(
            "namespace Shop;\n\npublic class {name} {{\n  private readonly IClock clock;\n\n  public {name}(IClock clock) {{\n    this.clock = clock;\n  }}\n}}\n"
        )
    };
    let names = ["A", "B", "C", "D", "E", "F"];
    let classes = names.map(|name| (format!("src/Shop/{name}.cs"), class(name)));
    let mut sources: Vec<(&str, &str)> = classes
        .iter()
        .map(|(path, text)| (path.as_str(), text.as_str()))
        .collect();
    assert!(found("dependency_wiring", &sources).is_empty());
    let program = "var builder = WebApplication.CreateBuilder(args);\nbuilder.Services.AddSingleton<IClock, Clock>();\n";
    sources.push(("src/Web/Program.cs", program));
    assert_eq!(
        found("dependency_wiring", &sources),
        ["dependency_wiring/csharp/injection/constructor 6/6"]
    );
}
