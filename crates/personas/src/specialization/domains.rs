//! The fifteen domains and their vocabulary.
//!
//! The lists are curated by hand. A keyword belongs to one domain and is written in lower case. Each domain has three
//! lists by how clearly a keyword shows it: **certain** ones name the domain or a thing that only it has, **likely**
//! ones are used elsewhere too, and a **hint** shows nothing by itself. Case is ignored, so a word that everyday
//! English uses for something else (go, less, chef, spring) is only listed as part of a phrase.
//!
//! A keyword stands for itself and its plural; with `!` for itself alone ("react" is not "reacts"); with `~` also for
//! the forms of a verb ("benchmark", "benchmarks", "benchmarked", "benchmarking"). `docs/personas.md` says how the
//! lists are measured.

/// A domain and its keywords.
pub struct Domain {
    pub name: &'static str,
    pub label: &'static str,
    /// Separated by commas, as in the other lists: slices of literals would take two thousand lines.
    certain: &'static str,
    likely: &'static str,
    hint: &'static str,
}

/// The weight of the keywords of each list. The values were chosen on the tuned half of the labelled descriptions.
const WEIGHTS: [u32; 3] = [3, 2, 1];

impl Domain {
    /// The keywords as they are listed, marks included, each with its weight.
    pub fn keywords(&self) -> impl Iterator<Item = (&'static str, u32)> {
        let lists = [self.certain, self.likely, self.hint]
            .into_iter()
            .zip(WEIGHTS);
        lists.flat_map(|(list, weight)| listed(list).map(move |keyword| (keyword, weight)))
    }
}

/// Everyday phrases that contain a keyword of a domain and are not about it.
pub fn everyday_phrases() -> impl Iterator<Item = &'static str> {
    listed(EVERYDAY)
}

fn listed(list: &'static str) -> impl Iterator<Item = &'static str> {
    list.split(',').map(str::trim)
}

const EVERYDAY: &str = "react to, reacts to, reacting to, security guard, social security, job security, food \
    security, gothic architecture, landscape architecture, landscape architect, garden design, interior design, \
    interior designer, fashion design, fashion designer, stage design, theatre performance, theater performance, \
    live performance, musical performance, performance review, performance appraisal, personal trainer, model \
    train, cloud nine, test of, taste test, blood test, driving test, medical test, product of, data plan, real \
    estate, sales pitch, sales team, customer service, dress code, at the table, the table, dinner table, legal \
    document, travel document, in any form, in the form of";

/// The domains in their order.
pub const DOMAINS: [Domain; 15] = [
    Domain {
        name: "frontend",
        label: "Frontend",
        certain: "frontend, front-end, react!, react.js, reactjs, next.js, nextjs, nuxt, vue!, vue.js, vuejs, \
            angular!, angularjs, svelte!, sveltekit, solid.js, solidjs, ember.js, preact, htmx, jquery, javascript, \
            html, html5, css, css3, sass, scss, tailwind, webpack, esbuild, redux, mobx, pinia, vuex, zustand, \
            rxjs, dom!, shadow dom, jsx, tsx, web component, web page, web frontend, storybook, flexbox, css grid, \
            container query, media query, service worker, progressive web app, pwa, single-page application, \
            single-page app, client-side, web ui, web client, ui component, component library, material ui, \
            mantine, d3!, d3.js, three.js, layout shift, server-rendered react, web developer",
        likely: "typescript, vite!, browser, hydration, user interface, webgl, svg, bundle size, code splitting, \
            bundle splitting, bundler, semantic html, re-render, server-side rendering, ssr!, micro-frontend, \
            cross-browser, web standard, keyboard navigation",
        hint: "ui, web, web app, bootstrap!, canvas, bundle, npm, component, hook, button, form, responsive, dark \
            mode, safari!, chrome!, firefox, node_modules, pixel-perfect, chart, single-page, state management, \
            click~",
    },
    Domain {
        name: "backend",
        label: "Backend",
        certain: "backend, back-end, server-side, rest api, restful, graphql, graphql api, grpc, protobuf, web \
            service, node.js, nodejs, express.js, expressjs, nestjs, fastify, django, fastapi, spring boot, spring \
            service, spring application, spring framework, spring security, quarkus, micronaut, ktor, ruby on \
            rails, rails!, sidekiq, activerecord, laravel, symfony, php, asp.net, dotnet, golang, go developer, go \
            service, go engineer, go programmer, java!, c#, axum, actix, tokio, message queue, job queue, task \
            queue, background job, background worker, rabbitmq, webhook, http api, api server, api developer, \
            server-side code",
        likely: "api, endpoint, flask!, rust!, elixir!, erlang, clojure, scala!, in go, hibernate, jvm service, \
            node service, websocket, middleware, resolver, data loader, idempotency, idempotent, rate limit, rate \
            limiting, backpressure, cron job, business logic, request handler, api gateway, celery, nats!, openapi, \
            swagger, async service, python service, net core, net service, net microservice, net developer, net \
            api, payment integration, server application",
        hint: "python, server, http, json, rest!, ruby!, phoenix!, sqlalchemy, handler, pagination, versioning, \
            async, controller, callback, queue, payment, service object, service, stripe!, perl",
    },
    Domain {
        name: "mobile",
        label: "Mobile",
        certain: "mobile app, mobile developer, mobile engineer, mobile application, mobile team, mobile device, \
            android, ios!, iphone, ipad, ipados, watchos, swiftui, uikit, kotlin multiplatform, jetpack compose, \
            react native, flutter!, xamarin, ionic!, cordova, app store, google play, play store, play console, \
            testflight, push notification, objective-c, xcode, smartphone, cross-platform app, native app, swift \
            developer, swift code, in swift, retain cycle, view controller, app developer",
        likely: "mobile, kotlin, expo!, maui!, deep link, handset, native module, crash-free, offline mode, on the \
            phone, on phones, small screen, old phone, mobile web",
        hint: "swift!, dart!, tablet, phone, offline-first, offline, bluetooth, gesture, battery, apple!, main \
            thread, touch, app, geolocation, both stores, app review",
    },
    Domain {
        name: "devops",
        label: "DevOps",
        certain: "devops, ci/cd, continuous integration, continuous delivery, continuous deployment, docker, \
            dockerfile, docker compose, docker registry, kubernetes, k8s, helm chart, kustomize, ansible, \
            saltstack, jenkins, github action, gitlab ci, circleci, buildkite, teamcity, argo cd, argocd, flux cd, \
            gitops, build pipeline, release pipeline, deployment pipeline, delivery pipeline, ci pipeline, site \
            reliability, sre, slo, error budget, on-call, pagerduty, incident response, incident management, \
            incident commander, observability, prometheus!, grafana, datadog, opentelemetry, blue-green, canary \
            release, canary deployment, rolling update, release engineer, release engineering, build engineer, \
            infrastructure as code, iac, infrastructure engineer, platform engineer, platform engineering, \
            developer platform, sysadmin, system administrator, log aggregation, artifactory, vagrant, preview \
            environment, container image, deployment automation",
        likely: "ci!, container, helm!, puppet!, deployment, monitoring, alerting, rollback, postmortem, \
            post-mortem, infrastructure, feature flag, build system, build server, staging environment, systemd, \
            shell script, nginx, uptime, toil!, kibana, jaeger, zero-downtime deployment, runner, production \
            system, production incident, staged rollout, rollout",
        hint: "pipeline, deploy~, release~, incident, alert, cluster, production, dashboard, downtime, outage, \
            linux, unix, bash, registry, provisioning, pod, yaml, canary, automation, log, pager, ops!, operations, \
            tracing, environment",
    },
    Domain {
        name: "cloud",
        label: "Cloud",
        certain: "cloud-native, cloud engineer, cloud architect, cloud architecture, cloud infrastructure, cloud \
            security, public cloud, private cloud, hybrid cloud, multi-cloud, cloud migration, cloud computing, \
            cloud provider, cloud cost, cloud bill, cloud service, aws!, amazon web services, azure!, gcp, google \
            cloud, openstack, digitalocean, fly.io, ec2, s3!, aws lambda, sqs, eventbridge, step function, \
            cloudformation, serverless, opentofu, pulumi, vpc, cloudfront, object storage, multi-region, \
            multi-account, availability zone, eks, gke, aks!, fargate, cloud run, cloud function, cloudwatch, \
            landing zone, finops, reserved capacity, reserved instance, savings plan, spot instance, autoscaling, \
            auto-scaling, private endpoint, private link",
        likely: "cloud!, terraform, lambda!, cdk, rds, load balancer, cdn, cloudflare, heroku, vercel, netlify, \
            pub/sub, iam!, iam role, iam policy, service account, data center, data centre, on-prem, on-premise, \
            virtual machine, hypervisor, peering, subnet, nat gateway, managed service, edge computing, cold start, \
            rightsize~, right-size~, idle instance, regional failover, hybrid network, disaster recovery, elastic \
            scaling, storage bucket",
        hint: "region, failover, vm, vpn, dns, bucket, workload, instance, bill, provider, hosting, tagging, \
            subscription, gateway",
    },
    Domain {
        name: "security",
        label: "Security",
        certain: "application security, appsec, devsecops, infosec, cybersecurity, cyber security, information \
            security, security engineer, security researcher, security auditor, security architect, vulnerability, \
            penetration test, penetration tester, penetration testing, pentest, pentester, pentesting, red team, \
            red teamer, blue team, purple team, threat model, threat modeling, threat modelling, threat \
            intelligence, threat hunting, owasp, cve, zero-day, cryptography, cryptographer, oauth2, openid \
            connect, oidc, saml, single sign-on, two-factor, xss, csrf, ssrf, sql injection, secret management, \
            zero trust, least privilege, security review, security audit, soc 2, iso 27001, pci dss, hipaa, \
            malware, ransomware, phishing, siem, attack surface, bug bounty, sbom, sast, dast, key rotation, trust \
            boundary, untrusted input, broken access control, access review, security analyst, trust zone",
        likely: "security, secure~, exploit, encryption, encrypt~, authentication, authorization, authorisation, \
            oauth, sso, mfa, jwt, xml external entity, access control, harden~, firewall, gdpr, privacy, data \
            protection, intrusion, forensics, attacker, hacker, tls, pki, input validation, vault!, supply chain \
            attack, side channel, own crypto, password, session cookie, secret scanning, compliance audit",
        hint: "threat, attack~, injection, compliance, secret, crypto, audit~, patch~, permission, certificate, \
            sandbox, abuse, paranoid, token, trust, risk, login, session, credential, identity, rotate~",
    },
    Domain {
        name: "data-engineering",
        label: "Data Engineering",
        certain: "data engineering, data engineer, analytics engineer, analytics engineering, data platform, data \
            pipeline, etl, elt, data warehouse, data warehousing, data lake, lakehouse, data mart, data mesh, \
            apache spark, pyspark, spark job, airflow, dagster, dbt, apache kafka, kinesis, flink, apache beam, \
            bigquery, redshift, databricks, parquet, avro, delta lake, hadoop, trino, stream processing, event \
            streaming, streaming data, batch processing, data quality, data catalog, data catalogue, data lineage, \
            change data capture, debezium, data contract, data governance, schema drift, schema registry, \
            clickstream, semantic layer, star schema, fact table, fivetran, airbyte, ssis, nifi, data integration, \
            data transformation, data architect, raw data",
        likely: "spark!, kafka, dataflow, snowflake!, iceberg, lineage, ingestion, ingest~, cdc, backfill, business \
            intelligence, tableau, looker, power bi, batch job, exactly-once, sensor data, late-arriving, late \
            arrival, into the warehouse, the warehouse, event data, raw event, sql model, reporting layer, data \
            analyst, tracking plan",
        hint: "data, warehouse, streaming, stream, analytics, reporting, dimension, metric, csv, orchestration, \
            lake, dataset, data set, data source, event, bi!, partitioning, data model, data modeling, data \
            modelling, duplicate, transform~, every night, nightly, batch",
    },
    Domain {
        name: "machine-learning",
        label: "Machine Learning",
        certain: "machine learning, ml!, mlops, deep learning, artificial intelligence, neural network, pytorch, \
            tensorflow, keras, scikit-learn, sklearn, xgboost, lightgbm, gradient boosting, random forest, logistic \
            regression, linear regression, llm, large language model, language model, fine-tune~, finetuning, rlhf, \
            prompt engineering, prompt engineer, ai agent, ai engineer, ai model, nlp, natural language processing, \
            computer vision, image classification, image recognition, object detection, speech recognition, \
            reinforcement learning, supervised learning, data science, data scientist, feature engineering, feature \
            store, model training, train model, trains model, trained model, training model, training data, train \
            the model, trains the model, ranking model, predictive model, hugging face, huggingface, \
            retrieval-augmented generation, rag!, rerank~, recommender, recommender system, recommendation engine, \
            recommendation system, recommendation model, collaborative filtering, classifier, model registry, model \
            serving, model evaluation, model drift, hyperparameter, loss function, overfitting, sagemaker, vertex \
            ai, mlflow, langchain, entity extraction, sentiment analysis, generative ai, diffusion model",
        likely: "ai!, gpt!, chatgpt, transformer, embedding, lora!, jax!, inference, agentic, tool calling, vector \
            search, vector database, classification, clustering, forecasting, hallucination, chatbot, eval!, evals, \
            cuda, bayesian, statistician, statistical model, anomaly detection, openai, anthropic, llama, ollama, \
            jupyter, numpy, neural, feature pipeline, open-weight, two-tower, baseline model, offline metric, \
            offline evaluation, labelled data, labeled data",
        hint: "prompt, forecast, time series, gpu, statistic, baseline, notebook, pandas!, ranking, prediction, \
            predict~, train~, heuristic, algorithm, guardrail, label~, scientist, experiment tracking, token limit",
    },
    Domain {
        name: "databases",
        label: "Databases",
        certain: "database, sql, nosql, rdbms, postgresql, postgres, mysql, mariadb, sqlite, oracle database, sql \
            server, mssql, mongodb, mongo!, redis, cassandra, dynamodb, clickhouse, cockroachdb, timescaledb, \
            neo4j, graph database, couchbase, influxdb, pgvector, database index, query plan, query planner, query \
            optimization, query optimisation, query tuning, slow query, explain plan, explain output, schema \
            design, database schema, schema migration, normal form, foreign key, primary key, transaction \
            isolation, isolation level, read replica, stored procedure, row-level security, full-text search, dba, \
            database administrator, point-in-time recovery, autovacuum, pgbouncer, column store, key-value store, \
            materialized view, mvcc, time-series database, relational model",
        likely: "db, oracle!, elasticsearch, opensearch, duckdb, snowflake schema, normalization, normalisation, \
            transaction, deadlock, replication, replica, shard~, orm, backup, connection pool, columnar, index \
            design, relational, zero-downtime migration, zero-downtime schema, data modeller, data modeler, slow \
            sql",
        hint: "index, indices, query, schema, migration, table, row, constraint, restore~, vacuum, bloat~, acid!, \
            partition, join, isolation, compression, statement, store",
    },
    Domain {
        name: "testing",
        label: "Testing",
        certain: "unit test, unit testing, integration test, integration testing, end-to-end test, end-to-end \
            testing, e2e, e2e test, regression test, regression testing, regression suite, tdd, test-driven, \
            test-driven development, bdd, test automation, automated test, automated testing, test automation \
            engineer, test coverage, code coverage, test case, test suite, test plan, test data, test strategy, \
            test pyramid, test engineer, component test, qa!, qa engineer, quality assurance, sdet, vitest, pytest, \
            junit, testng, mockito, rspec, testing library, appium, property-based, property-based testing, \
            property test, fuzz~, fuzzer, mutation testing, mutation score, flaky test, contract testing, contract \
            test, smoke test, acceptance test, exploratory testing, manual testing, manual tester, snapshot test, \
            visual regression",
        likely: "testing, tester, jest!, playwright, cypress, selenium, mocking, edge case, corner case, bug \
            report, test environment, quality engineer, quality strategy, quality engineering, automation engineer, \
            regression",
        hint: "test, mock, stub, fixture, fake, flaky, coverage, assertion, reproduce~, reproduction, bug, \
            checklist, quality, cucumber, gherkin, pact!, mocha!, nightly run, edge, spec",
    },
    Domain {
        name: "architecture",
        label: "Architecture",
        certain: "software architecture, software architect, solution architect, solutions architect, system \
            architect, system architecture, enterprise architect, enterprise architecture, principal architect, \
            system design, systems design, modular monolith, distributed system, event sourcing, event storming, \
            cqrs, domain-driven design, domain-driven, ddd, bounded context, hexagonal architecture, clean \
            architecture, ports and adapters, layered architecture, microservice architecture, design pattern, \
            solid principle, service boundary, module boundary, technical debt, tech debt, architecture decision, \
            architecture decision record, architectural decision, decision record, adr, c4 model, c4 diagram, \
            eventual consistency, togaf",
        likely: "architecture, architect, architectural, microservice, monolith, event-driven, hexagonal, coupling, \
            cohesion, dependency inversion, api design, refactor~, legacy code, legacy system, trade-off, tradeoff, \
            design review, design doc, design document, fault tolerance, fault-tolerant, modularity, layering, \
            principal engineer, failure mode, strangler, uml, service-oriented, clean layer, system boundary, \
            context map, separation of concerns",
        hint: "boundary, rfc, module, modular, layer, resilience, consistency, consensus, dependency, interface, \
            saga, staff engineer, legacy, abstraction, long-lived, evolve~, big picture, design decision, \
            framework, maintainability, maintainable, structure",
    },
    Domain {
        name: "design",
        label: "Design",
        certain: "ux, ui design, ux design, ui/ux, ux/ui, ux designer, ui designer, ux writer, ux writing, ux \
            research, ux researcher, product designer, product design, visual design, visual designer, graphic \
            design, graphic designer, interaction design, interaction designer, service design, service designer, \
            motion design, information architect, user experience, design system, design token, design critique, \
            figma, adobe xd, wireframe, mockup, mock-up, a11y, wcag, screen reader, usability, usability testing, \
            usability test, usability study, user research, user researcher, user testing, user test, user journey, \
            journey map, user flow, information architecture, microcopy, micro-interaction, microinteraction, card \
            sorting, heuristic evaluation, visual hierarchy, color contrast, colour contrast, interface design, \
            user interview",
        likely: "designer, prototype, prototyping, typography, typeface, accessibility, customer journey, color \
            palette, colour palette, responsive design, empty state, whitespace, white space, branding, \
            iconography, photoshop, storyboard, persona map, user-centered, user-centred, human-centered, \
            human-centred, reduced motion, user need, style tile, clickable",
        hint: "design, sketch, accessible, contrast, color, colour, font, icon, illustration, brand, animation, \
            motion, navigation, spacing, alignment, layout, persona, interview users, interviews users, usable, \
            screen, aria!, visual, look and feel, flow",
    },
    Domain {
        name: "product",
        label: "Product",
        certain: "product manager, product management, product owner, product strategy, product vision, product \
            lead, product discovery, product analytics, product marketing, technical pm, roadmap, product roadmap, \
            backlog, user story, acceptance criteria, acceptance criterion, mvp, minimum viable product, okr, \
            prioritization, prioritisation, go-to-market, customer feedback, customer interview, customer \
            discovery, market research, a/b test, a/b testing, conversion rate, sprint planning, business value, \
            business analyst, business analysis, value proposition, jobs to be done, competitive analysis, success \
            metric, feature prioritization, interview customers, interviews customers",
        likely: "stakeholder, requirement, kpi, prioritize~, prioritise~, customer need, feature request, \
            retention, churn, funnel, pricing, positioning, scrum, agile, kanban, business case, business \
            requirement, competitor, beta customer, beta user, product team, product people, release planning, \
            product launch, talks to customers, talk to customers, user feedback",
        hint: "product, customer, market, feature, experiment, conversion, activation, onboarding, growth, launch~, \
            scope, pm!, saas, demo, priority, sprint, use case, business, success, value, deadline, sales",
    },
    Domain {
        name: "performance",
        label: "Performance",
        certain: "performance engineer, performance engineering, performance tuning, performance testing, \
            performance test, performance budget, performance optimization, performance optimisation, web \
            performance, high-performance, profiling, profiler, flame graph, flamegraph, latency, low latency, tail \
            latency, p99, p95, throughput, benchmark~, cache line, cache miss, bottleneck, load test, load testing, \
            stress test, capacity planning, capacity planner, k6, jmeter, memory usage, memory leak, garbage \
            collection, garbage collector, heap dump, lock contention, false sharing, hot path, simd, branch \
            prediction, core web vitals, web vital, lcp, page load, load time, response time, startup time, \
            start-up time, cpu usage, allocator, frame rate, frames per second, frame budget, draw call, time to \
            first byte",
        likely: "performance!, caching, cache, scalability, gatling, jit!, concurrency, parallelism, \
            multithreading, multi-threaded, contention, hotspot, lighthouse, lazy loading, cpu, allocation, \
            optimization, optimisation, optimize~, optimise~, optimizer, faster, speed up, speeds up, speeding up, \
            fps, perf!, ebpf, time complexity, resource usage, gc pause, gc!, memory footprint, things fast, load \
            fast, loads fast, make it fast, slow code",
        hint: "memory, profile, heap, thread, capacity, low-level, speed, fast, slow, efficient, overhead, compile \
            time, build time, measure~, millisecond, scalable, traffic, guess~",
    },
    Domain {
        name: "documentation",
        label: "Documentation",
        certain: "documentation, docs, technical writing, technical writer, technical author, tech writer, \
            documentation writer, readme, api documentation, api docs, api reference, tutorial, how-to guide, user \
            guide, getting-started guide, changelog, release note, knowledge base, help article, help center, help \
            centre, docstring, code comment, asciidoc, restructuredtext, docs-as-code, onboarding guide, user \
            manual, reference manual, docusaurus, mkdocs, rustdoc, javadoc, developer advocate, developer \
            relations, devrel",
        likely: "document~, how-to, style guide, runbook, markdown, openapi spec, openapi description, wiki, \
            diataxis, copy editing, glossary, sphinx!, code example, sample code, sample app, sample request, plain \
            english, plain language, blog post, faq, write-up, explainer, easy to understand, worked example",
        hint: "guide, manual, comment, editor, article, diagram, explain~, newcomer, workshop, screenshot, analogy, \
            writer, written down, write down, writes down, clear prose, prose, reader, wording, example, beginner",
    },
];
