//! Detects frameworks and libraries from the packages in manifests and the imports in source files.

use super::manifest::Ecosystem;
use crate::language::Language;

pub(super) struct Framework {
    pub name: &'static str,
    pub ecosystem: Ecosystem,
    /// Its package names in manifests; in Maven, the beginning of a group.
    pub packages: &'static [&'static str],
    /// The prefixes of its modules in imports.
    pub modules: &'static [&'static str],
}

macro_rules! frameworks {
    ($($ecosystem:ident { $($name:literal: [$($package:literal)*] [$($module:literal)*];)* })*) => {
        pub(super) const FRAMEWORKS: &[Framework] = &[$($(Framework {
            name: $name,
            ecosystem: Ecosystem::$ecosystem,
            packages: &[$($package),*],
            modules: &[$($module),*],
        },)*)*];
    };
}

frameworks! {
    Cargo {
        "anyhow": ["anyhow"] ["anyhow"];
        "criterion": ["criterion"] ["criterion"];
        "insta": ["insta"] ["insta"];
        "proptest": ["proptest"] ["proptest"];
        "actix-web": ["actix-web"] ["actix_web"];
        "async-graphql": ["async-graphql"] ["async_graphql"];
        "axum": ["axum"] ["axum"];
        "bevy": ["bevy"] ["bevy"];
        "clap": ["clap"] ["clap"];
        "diesel": ["diesel"] ["diesel"];
        "hyper": ["hyper"] ["hyper"];
        "leptos": ["leptos"] ["leptos"];
        "rayon": ["rayon"] ["rayon"];
        "reqwest": ["reqwest"] ["reqwest"];
        "rocket": ["rocket"] ["rocket"];
        "sea-orm": ["sea-orm"] ["sea_orm"];
        "serde": ["serde"] ["serde"];
        "sqlx": ["sqlx"] ["sqlx"];
        "tauri": ["tauri"] ["tauri"];
        "tokio": ["tokio"] ["tokio"];
        "tonic": ["tonic"] ["tonic"];
        "tower": ["tower"] ["tower"];
        "tracing": ["tracing"] ["tracing"];
        "warp": ["warp"] ["warp"];
    }
    Npm {
        "ava": ["ava"] ["ava"];
        "astro": ["astro"] ["astro"];
        "cypress": ["cypress"] ["cypress"];
        "esbuild": ["esbuild"] ["esbuild"];
        "hono": ["hono"] ["hono"];
        "nuxt": ["nuxt"] ["nuxt"];
        "rollup": ["rollup"] ["rollup"];
        "testing-library": ["@testing-library/react"] ["@testing-library/"];
        "webpack": ["webpack"] ["webpack"];
        "angular": ["@angular/core"] ["@angular/"];
        "apollo": ["@apollo/client" "@apollo/server"] ["@apollo/"];
        "drizzle": ["drizzle-orm"] ["drizzle-orm"];
        "electron": ["electron"] ["electron"];
        "express": ["express"] ["express"];
        "fastify": ["fastify"] ["fastify"];
        "jest": ["jest"] ["@jest/globals"];
        "jotai": ["jotai"] ["jotai"];
        "koa": ["koa"] ["koa"];
        "mantine": ["@mantine/core"] ["@mantine/"];
        "mocha": ["mocha"] ["mocha"];
        "nestjs": ["@nestjs/core"] ["@nestjs/"];
        "next": ["next"] ["next"];
        "playwright": ["@playwright/test"] ["@playwright/test"];
        "prisma": ["@prisma/client"] ["@prisma/client"];
        "react": ["react"] ["react"];
        "redux": ["redux" "@reduxjs/toolkit"] ["redux" "@reduxjs/toolkit"];
        "rxjs": ["rxjs"] ["rxjs"];
        "socket.io": ["socket.io" "socket.io-client"] ["socket.io" "socket.io-client"];
        "solid": ["solid-js"] ["solid-js"];
        "svelte": ["svelte"] ["svelte"];
        "tanstack-query": ["@tanstack/react-query"] ["@tanstack/react-query"];
        "tailwindcss": ["tailwindcss"] ["tailwindcss"];
        "trpc": ["@trpc/server" "@trpc/client"] ["@trpc/"];
        "typeorm": ["typeorm"] ["typeorm"];
        "urql": ["urql"] ["urql"];
        "vite": ["vite"] ["vite"];
        "vitest": ["vitest"] ["vitest"];
        "vue": ["vue"] ["vue"];
        "zod": ["zod"] ["zod"];
    }
    PyPi {
        "alembic": ["alembic"] ["alembic"];
        "babel": ["babel"] ["babel"];
        "docutils": ["docutils"] ["docutils"];
        "hypothesis": ["hypothesis"] ["hypothesis"];
        "jinja": ["jinja2"] ["jinja2"];
        "lxml": ["lxml"] ["lxml"];
        "marshmallow": ["marshmallow"] ["marshmallow"];
        "pygments": ["pygments"] ["pygments"];
        "sphinx": ["sphinx"] ["sphinx"];
        "uvicorn": ["uvicorn"] ["uvicorn"];
        "werkzeug": ["werkzeug"] ["werkzeug"];
        "aiohttp": ["aiohttp"] ["aiohttp"];
        "airflow": ["apache-airflow"] ["airflow"];
        "anyio": ["anyio"] ["anyio"];
        "celery": ["celery"] ["celery"];
        "click": ["click"] ["click"];
        "django": ["django"] ["django"];
        "fastapi": ["fastapi"] ["fastapi"];
        "flask": ["flask"] ["flask"];
        "httpx": ["httpx"] ["httpx"];
        "langchain": ["langchain"] ["langchain"];
        "numpy": ["numpy"] ["numpy"];
        "pandas": ["pandas"] ["pandas"];
        "pydantic": ["pydantic"] ["pydantic"];
        "pytest": ["pytest"] ["pytest"];
        "requests": ["requests"] ["requests"];
        "rich": ["rich"] ["rich"];
        "scikit-learn": ["scikit-learn"] ["sklearn"];
        "scipy": ["scipy"] ["scipy"];
        "sqlalchemy": ["sqlalchemy"] ["sqlalchemy"];
        "starlette": ["starlette"] ["starlette"];
        "tensorflow": ["tensorflow"] ["tensorflow"];
        "torch": ["torch"] ["torch"];
        "tornado": ["tornado"] ["tornado"];
        "transformers": ["transformers"] ["transformers"];
        "trio": ["trio"] ["trio"];
        "twisted": ["twisted"] ["twisted"];
        "typer": ["typer"] ["typer"];
    }
    Go {
        "chi": ["github.com/go-chi/chi" "github.com/go-chi/chi/v5"] ["github.com/go-chi/chi"];
        "cobra": ["github.com/spf13/cobra"] ["github.com/spf13/cobra"];
        "echo": ["github.com/labstack/echo/v4"] ["github.com/labstack/echo"];
        "ent": ["entgo.io/ent"] ["entgo.io/ent"];
        "fiber": ["github.com/gofiber/fiber/v2"] ["github.com/gofiber/fiber"];
        "gin": ["github.com/gin-gonic/gin"] ["github.com/gin-gonic/gin"];
        "gorm": ["gorm.io/gorm"] ["gorm.io/gorm"];
        "grpc": ["google.golang.org/grpc"] ["google.golang.org/grpc"];
        "kubernetes": ["k8s.io/client-go"] ["k8s.io/"];
        "prometheus-client": ["github.com/prometheus/client_golang"] ["github.com/prometheus/client_golang"];
        "testify": ["github.com/stretchr/testify"] ["github.com/stretchr/testify"];
        "zap": ["go.uber.org/zap"] ["go.uber.org/zap"];
    }
    Maven {
        "spring boot": ["org.springframework.boot"] ["org.springframework.boot"];
        "kotest": ["io.kotest"] ["io.kotest"];
        "scalatest": ["org.scalatest"] ["org.scalatest"];
        "testcontainers": ["org.testcontainers"] ["org.testcontainers"];
        "guava": ["com.google.guava"] ["com.google.common"];
        "hibernate": ["org.hibernate"] ["org.hibernate"];
        "jackson": ["com.fasterxml.jackson"] ["com.fasterxml.jackson"];
        "jakarta-ee": ["jakarta.platform"] ["jakarta."];
        "junit": ["junit"] ["org.junit"];
        "junit-jupiter": ["org.junit"] ["org.junit.jupiter"];
        "lombok": ["org.projectlombok"] ["lombok"];
        "micronaut": ["io.micronaut"] ["io.micronaut"];
        "mockito": ["org.mockito"] ["org.mockito"];
        "netty": ["io.netty"] ["io.netty"];
        "okhttp": ["com.squareup.okhttp3"] ["okhttp3"];
        "quarkus": ["io.quarkus"] ["io.quarkus"];
        "spring": ["org.springframework"] ["org.springframework"];
        "akka": ["com.typesafe.akka"] ["akka"];
        "cats": ["org.typelevel"] ["cats"];
        "compose": ["androidx.compose"] ["androidx.compose"];
        "kotlinx-coroutines": ["org.jetbrains.kotlinx"] ["kotlinx.coroutines"];
        "ktor": ["io.ktor"] ["io.ktor"];
        "pekko": ["org.apache.pekko"] ["org.apache.pekko"];
        "play": ["com.typesafe.play" "org.playframework"] ["play"];
        "spark": ["org.apache.spark"] ["org.apache.spark"];
        "zio": ["dev.zio"] ["zio"];
    }
    NuGet {
        "moq": ["Moq"] ["Moq"];
        "nunit": ["NUnit"] ["NUnit"];
        "asp.net core": ["Microsoft.AspNetCore.OpenApi"] ["Microsoft.AspNetCore"];
        "avalonia": ["Avalonia"] ["Avalonia"];
        "dapper": ["Dapper"] ["Dapper"];
        "ef core": ["Microsoft.EntityFrameworkCore"] ["Microsoft.EntityFrameworkCore"];
        "mediatr": ["MediatR"] ["MediatR"];
        "newtonsoft.json": ["Newtonsoft.Json"] ["Newtonsoft.Json"];
        "serilog": ["Serilog"] ["Serilog"];
        "unity": [] ["UnityEngine"];
        "xunit": ["xunit"] ["Xunit"];
    }
    Gem {
        "minitest": ["minitest"] ["minitest"];
        "rack": ["rack"] ["rack"];
        "hanami": ["hanami"] ["hanami"];
        "rails": ["rails"] ["rails" "active_record" "action_controller"];
        "rspec": ["rspec"] ["rspec"];
        "sequel": ["sequel"] ["sequel"];
        "sidekiq": ["sidekiq"] ["sidekiq"];
        "sinatra": ["sinatra"] ["sinatra"];
    }
    Composer {
        "pest": ["pestphp/pest"] ["Pest"];
        "psr-7": ["psr/http-message"] ["Psr\\Http\\Message"];
        "doctrine": ["doctrine/orm"] ["Doctrine\\ORM"];
        "guzzle": ["guzzlehttp/guzzle"] ["GuzzleHttp"];
        "laravel": ["laravel/framework"] ["Illuminate"];
        "phpunit": ["phpunit/phpunit"] ["PHPUnit"];
        "slim": ["slim/slim"] ["Slim"];
        "symfony": ["symfony/framework-bundle" "symfony/http-kernel"] ["Symfony\\Component" "Symfony\\Bundle"];
    }
    Swift {
        "alamofire": ["alamofire"] ["Alamofire"];
        "composable-architecture": ["swift-composable-architecture"] ["ComposableArchitecture"];
        "swift-nio": ["swift-nio"] ["NIO" "NIOCore"];
        "swiftui": [] ["SwiftUI"];
        "uikit": [] ["UIKit"];
        "vapor": ["vapor"] ["Vapor"];
    }
    Native {
        "boost": ["boost"] ["boost/"];
        "googletest": ["gtest"] ["gtest/" "gmock/"];
        "opencv": ["opencv"] ["opencv2/"];
        "openssl": ["openssl"] ["openssl/"];
        "protobuf": ["protobuf"] ["google/protobuf/"];
        "qt": ["qt5" "qt6"] ["QtCore" "QtGui" "QtWidgets" "QObject" "QString" "QWidget"];
        "sdl": ["sdl2" "sdl3"] ["SDL2/" "SDL3/" "SDL.h"];
    }
}

impl Ecosystem {
    pub fn of(language: Language) -> Option<Ecosystem> {
        match language {
            Language::Rust => Some(Ecosystem::Cargo),
            Language::TypeScript | Language::Tsx | Language::JavaScript => Some(Ecosystem::Npm),
            Language::Python => Some(Ecosystem::PyPi),
            Language::Go => Some(Ecosystem::Go),
            Language::Java | Language::Kotlin | Language::Scala => Some(Ecosystem::Maven),
            Language::CSharp => Some(Ecosystem::NuGet),
            Language::Ruby => Some(Ecosystem::Gem),
            Language::Php => Some(Ecosystem::Composer),
            Language::Swift => Some(Ecosystem::Swift),
            Language::C | Language::Cpp => Some(Ecosystem::Native),
            _ => None,
        }
    }
}

impl Ecosystem {
    /// Whether code can use a package without importing it: by a path in an attribute, or as a build tool. In other
    /// ecosystems a package that no source imports is only for tests, or unused.
    pub const fn may_be_used_unimported(self) -> bool {
        matches!(self, Ecosystem::Cargo | Ecosystem::Npm | Ecosystem::Gem)
    }
}

/// Test and build tools. They belong to the stack if a manifest declares them as tools.
const TOOLS: &[&str] = &[
    "ava",
    "criterion",
    "cypress",
    "esbuild",
    "googletest",
    "hypothesis",
    "insta",
    "jest",
    "junit",
    "junit-jupiter",
    "kotest",
    "minitest",
    "mocha",
    "mockito",
    "moq",
    "nunit",
    "pest",
    "phpunit",
    "playwright",
    "proptest",
    "pytest",
    "rollup",
    "rspec",
    "scalatest",
    "sphinx",
    "testcontainers",
    "testify",
    "testing-library",
    "vite",
    "vitest",
    "webpack",
    "xunit",
];

/// Libraries that a program of any kind may use.
const LIBRARIES: &[&str] = &[
    "anyhow", "guava", "lombok", "rayon", "serde", "tower", "tracing",
];

/// How much a technology says about a program, the most first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Standing {
    /// It shapes the program.
    Framework,
    /// A program of any kind may use it.
    Library,
    /// It tests or builds the program.
    Tool,
}

/// The standing of the technology with this name.
pub(crate) fn standing(name: &str) -> Standing {
    match name {
        name if TOOLS.contains(&name) => Standing::Tool,
        name if LIBRARIES.contains(&name) => Standing::Library,
        _ => Standing::Framework,
    }
}

/// Whether a Maven group with the prefix `package` belongs to another framework: `org.springframework.boot` has its own
/// versions.
pub(super) fn is_anothers(group: &str, package: &str) -> bool {
    let of = |framework: &&Framework| {
        framework.ecosystem == Ecosystem::Maven
            && framework.packages.contains(&group)
            && !framework.packages.contains(&package)
    };
    FRAMEWORKS.iter().any(|framework| of(&framework))
}

impl Framework {
    pub fn is_tool(&self) -> bool {
        TOOLS.contains(&self.name)
    }

    /// Whether it turns the modules of a program into fewer files. Other tools bring one along, and tests may bundle.
    pub fn is_bundler(&self) -> bool {
        matches!(self.name, "esbuild" | "rollup" | "vite" | "webpack")
    }

    /// Whether a build applies it by a parent or a plugin, so that code need not import it.
    pub fn is_built_with(&self) -> bool {
        matches!(self.name, "spring boot" | "quarkus" | "micronaut")
    }

    /// Whether it is a set of APIs, of which a project may use a single one without the others.
    pub fn is_platform(&self) -> bool {
        self.name == "jakarta-ee"
    }

    /// Whether an import is of this framework: its module, or one below it.
    pub fn is_imported_by(&self, module: &str) -> bool {
        let module = module.trim_start_matches(['<', '"', '\\']);
        // The packages of JUnit 4 have the name that later versions put before theirs.
        if self.name == "junit" && module.starts_with("org.junit.jupiter") {
            return false;
        }
        self.modules.iter().any(|own| {
            module.strip_prefix(own).is_some_and(|rest| {
                rest.is_empty()
                    || own.ends_with(['/', '.'])
                    || rest.starts_with("::")
                    || rest.starts_with(['.', '/', '\\', '>', '"'])
            })
        })
    }

    /// Whether one of the project's own packages is this framework.
    pub fn is_own(&self, packages: &std::collections::BTreeSet<(Ecosystem, String)>) -> bool {
        packages.iter().any(|(ecosystem, name)| {
            *ecosystem == self.ecosystem && self.packages.iter().any(|own| name == own)
        })
    }

    pub fn is_named_in(&self, packages: &std::collections::BTreeSet<(Ecosystem, String)>) -> bool {
        packages.iter().any(|(ecosystem, name)| {
            *ecosystem == self.ecosystem
                && self.packages.iter().any(|own| match ecosystem {
                    Ecosystem::Maven => {
                        let rest = name.strip_prefix(own);
                        rest.is_some_and(|rest| {
                            rest.is_empty() || rest.starts_with('.') || own.ends_with('.')
                        })
                    }
                    _ => name == own,
                })
        })
    }
}
