//! The fifteen domains and their vocabulary.
//!
//! The lists are curated by hand under three rules: a keyword belongs to one domain; it is written in lower case and in
//! the singular; and a word that everyday English uses for something else (go, swift, less, chef, spring) is only here
//! inside a phrase, since the case of a word decides nothing.

/// A domain and the words that speak of it.
pub struct Domain {
    pub name: &'static str,
    pub label: &'static str,
    /// Separated by commas: a list literal would take six hundred lines.
    vocabulary: &'static str,
}

impl Domain {
    pub fn keywords(&self) -> impl Iterator<Item = &'static str> {
        self.vocabulary.split(',').map(str::trim)
    }
}

/// In the order that breaks ties.
pub const DOMAINS: [Domain; 15] = [
    Domain {
        name: "frontend",
        label: "Frontend",
        vocabulary: "frontend, front-end, react, react.js, next.js, vue, vue.js, angular, svelte, \
                     solid.js, javascript, typescript, html, css, sass, tailwind, webpack, vite, redux, \
                     dom, jsx, tsx, web component, web page, browser, single-page application, \
                     client-side, storybook, hydration, web ui, user interface, ui component, mantine, \
                     progressive web app",
    },
    Domain {
        name: "backend",
        label: "Backend",
        vocabulary: "backend, back-end, server-side, api, rest api, restful, graphql, graphql api, \
                     grpc, endpoint, web service, node.js, express.js, nestjs, django, flask, fastapi, \
                     spring boot, ruby on rails, rails, laravel, asp.net, golang, rust, java, php, \
                     axum, tokio, websocket, webhook, message queue, background job, middleware, c#",
    },
    Domain {
        name: "mobile",
        label: "Mobile",
        vocabulary: "mobile, mobile app, android, ios, iphone, ipad, swiftui, uikit, kotlin, jetpack \
                     compose, react native, flutter, expo, xamarin, ionic, cordova, app store, google \
                     play, play store, push notification, objective-c, xcode, deep link, tablet, \
                     offline-first, swift developer, kotlin multiplatform",
    },
    Domain {
        name: "devops",
        label: "DevOps",
        vocabulary: "devops, ci/cd, continuous integration, continuous delivery, continuous deployment, \
                     docker, dockerfile, container, kubernetes, k8s, helm, helm chart, ansible, puppet, \
                     jenkins, github action, gitlab ci, argo cd, gitops, deployment, build pipeline, \
                     release pipeline, deployment pipeline, site reliability, sre, on-call, incident \
                     response, monitoring, observability, prometheus, grafana, opentelemetry, rollback",
    },
    Domain {
        name: "cloud",
        label: "Cloud",
        vocabulary: "cloud, cloud-native, aws, amazon web services, azure, gcp, google cloud, ec2, s3, \
                     aws lambda, serverless, cloudformation, terraform, opentofu, pulumi, \
                     infrastructure as code, iac, vpc, load balancer, autoscaling, auto-scaling, \
                     cloudfront, cdn, cloudflare, object storage, multi-region, multi-cloud, eks, gke, \
                     fargate, cloud run, availability zone",
    },
    Domain {
        name: "security",
        label: "Security",
        vocabulary: "security, application security, appsec, devsecops, vulnerability, penetration \
                     testing, pentest, pentesting, threat model, threat modeling, threat modelling, \
                     owasp, cve, exploit, encryption, cryptography, authentication, authorization, \
                     authorisation, oauth, openid connect, oidc, saml, xss, csrf, sql injection, secret \
                     management, access control, zero trust, hardening, firewall, least privilege, \
                     security review, security audit, compliance, malware",
    },
    Domain {
        name: "data-engineering",
        label: "Data Engineering",
        vocabulary: "data engineering, data engineer, data pipeline, etl, elt, data warehouse, data \
                     warehousing, data lake, lakehouse, spark, apache spark, pyspark, airflow, dagster, \
                     dbt, kafka, apache kafka, flink, apache beam, snowflake, bigquery, redshift, \
                     databricks, parquet, avro, iceberg, stream processing, batch processing, data \
                     quality, data modeling, data modelling, data catalog, data lineage, ingestion, \
                     hadoop, change data capture",
    },
    Domain {
        name: "machine-learning",
        label: "Machine Learning",
        vocabulary: "machine learning, ml, mlops, deep learning, artificial intelligence, ai, neural \
                     network, pytorch, tensorflow, keras, scikit-learn, sklearn, xgboost, llm, large \
                     language model, language model, transformer, embedding, fine-tuning, prompt \
                     engineering, nlp, natural language processing, computer vision, reinforcement \
                     learning, data science, data scientist, feature engineering, model training, \
                     inference, hugging face, retrieval-augmented generation, rag, recommender system, \
                     classifier",
    },
    Domain {
        name: "databases",
        label: "Databases",
        vocabulary: "database, sql, nosql, postgresql, postgres, mysql, mariadb, sqlite, oracle \
                     database, sql server, mongodb, redis, cassandra, dynamodb, elasticsearch, \
                     pgvector, database index, query plan, query planner, query optimization, query \
                     optimisation, slow query, schema design, database schema, schema migration, \
                     normalization, normalisation, transaction, replication, sharding, stored \
                     procedure, orm, row-level security, full-text search, isolation level, dba",
    },
    Domain {
        name: "testing",
        label: "Testing",
        vocabulary: "testing, test, unit test, unit testing, integration test, integration testing, \
                     end-to-end test, end-to-end testing, e2e, e2e test, regression test, regression \
                     testing, tdd, test-driven development, bdd, test automation, test coverage, code \
                     coverage, test case, test suite, test plan, qa, quality assurance, jest, vitest, \
                     pytest, junit, playwright, cypress, selenium, property-based testing, fuzzing, \
                     mutation testing, flaky test, mocking",
    },
    Domain {
        name: "architecture",
        label: "Architecture",
        vocabulary: "architecture, architect, software architecture, system design, microservice, \
                     microservice architecture, monolith, modular monolith, distributed system, \
                     event-driven, event sourcing, cqrs, domain-driven design, ddd, bounded context, \
                     hexagonal architecture, clean architecture, design pattern, solid principles, \
                     coupling, cohesion, api design, service boundary, technical debt, refactoring, \
                     trade-off, architecture decision record, adr, fault tolerance, modularity, \
                     layering",
    },
    Domain {
        name: "design",
        label: "Design",
        vocabulary: "ux, ui design, ux design, ui/ux, ux/ui, ux designer, ui designer, product \
                     designer, user experience, interaction design, visual design, design system, \
                     design token, figma, wireframe, prototype, prototyping, mockup, typography, \
                     accessibility, a11y, wcag, usability, usability testing, usability test, user \
                     research, user journey, information architecture, color palette, colour palette, \
                     responsive design, user flow, persona map",
    },
    Domain {
        name: "product",
        label: "Product",
        vocabulary: "product, product manager, product management, product owner, product strategy, \
                     roadmap, product roadmap, backlog, user story, stakeholder, requirement, \
                     acceptance criteria, mvp, minimum viable product, kpi, okr, prioritization, \
                     prioritisation, market research, go-to-market, customer feedback, customer \
                     interview, product discovery, feature request, a/b test, a/b testing, retention, \
                     churn, conversion rate, scrum, agile, sprint planning, business value",
    },
    Domain {
        name: "performance",
        label: "Performance",
        vocabulary: "performance, performance tuning, performance testing, performance test, profiling, \
                     profiler, flame graph, flamegraph, latency, tail latency, throughput, benchmark, \
                     benchmarking, caching, cache, bottleneck, scalability, load test, load testing, \
                     stress test, memory usage, memory leak, garbage collection, concurrency, \
                     parallelism, hot path, hotspot, simd, core web vitals, page load, response time, \
                     lazy loading, cpu usage, allocation",
    },
    Domain {
        name: "documentation",
        label: "Documentation",
        vocabulary: "documentation, docs, technical writing, technical writer, readme, api \
                     documentation, api docs, api reference, tutorial, how-to guide, user guide, style \
                     guide, changelog, release note, runbook, knowledge base, docstring, markdown, \
                     docs-as-code, openapi spec, onboarding guide, user manual, wiki, diataxis, copy \
                     editing, code comment, glossary, sphinx, docusaurus, rustdoc, code example",
    },
];
