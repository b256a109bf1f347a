"""The vendors' own SDKs against the scripted server: `sdks.py BASE_URL`.

Every line says what held; the exit code is 1 where one did not.
"""

import sys

import anthropic
import openai
from google import genai
from google.genai import types

BASE = sys.argv[1]
GREETING = "Hello from the scripted server: äöü 🙂."
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
ANSWER = {
    "type": "object",
    "properties": {"answer": {"type": "integer"}},
    "required": ["answer"],
    "additionalProperties": False,
}
HELLO = [{"role": "user", "content": "hello"}]
failed = 0


def check(name, run):
    global failed
    try:
        print(f"passed  {name:<40} {run()}")
    except Exception as error:  # Whatever an SDK says is shown, and counts.
        failed += 1
        print(f"FAILED  {name:<40} {type(error).__name__}: {error}")


def same(found, expected):
    assert found == expected, f"{found!r} is not {expected!r}"
    return repr(found)


def anthropic_stream():
    client = anthropic.Anthropic(base_url=BASE, api_key="key", max_retries=0)
    thinking = {"type": "enabled", "budget_tokens": 1024}
    with client.messages.stream(model="m", max_tokens=2000, messages=HELLO, thinking=thinking) as stream:
        message = stream.get_final_message()
    assert message.content[0].type == "thinking" and message.content[0].signature, message.content
    assert (message.usage.output_tokens, message.stop_reason) == (9, "end_turn"), message
    return same(message.content[1].text, GREETING)


def anthropic_tool(stream):
    client = anthropic.Anthropic(base_url=BASE, api_key="key", max_retries=0)
    tools = [{"name": "weather", "input_schema": SCHEMA}]
    arguments = {"model": "m", "max_tokens": 100, "messages": HELLO, "tools": tools}
    if stream:
        with client.messages.stream(**arguments) as events:
            message = events.get_final_message()
    else:
        message = client.messages.create(**arguments)
    assert message.stop_reason == "tool_use", message
    return same(message.content[-1].input, {"city": "Zürich"})


def openai_client():
    return openai.OpenAI(base_url=BASE + "/v1", api_key="key", max_retries=0)


def chat_stream():
    text, usage = "", None
    options = {"model": "m", "messages": HELLO, "stream": True, "stream_options": {"include_usage": True}}
    for chunk in openai_client().chat.completions.create(**options):
        text += "".join(choice.delta.content or "" for choice in chunk.choices)
        usage = chunk.usage or usage
    assert usage and usage.completion_tokens == 10, usage
    return same(text, GREETING)


def chat_tool():
    tools = [{"type": "function", "function": {"name": "weather", "parameters": SCHEMA}}]
    with openai_client().chat.completions.stream(model="m", messages=HELLO, tools=tools) as stream:
        completion = stream.get_final_completion()
    assert completion.choices[0].finish_reason == "tool_calls", completion
    return same(completion.choices[0].message.tool_calls[0].function.arguments, '{"city":"Zürich"}')


def chat_schema():
    form = {"type": "json_schema", "json_schema": {"name": "answer", "schema": ANSWER, "strict": True}}
    found = openai_client().chat.completions.create(model="m", messages=HELLO, response_format=form)
    return same(found.choices[0].message.content, '{"answer":42}')


def responses_stream():
    options = {"model": "m", "input": "hello", "store": False, "include": ["reasoning.encrypted_content"]}
    with openai_client().responses.stream(**options) as stream:
        response = stream.get_final_response()
    assert response.output[0].encrypted_content and response.usage.output_tokens == 10, response
    return same(response.output_text, GREETING)


def responses_tool(stream):
    tool = {"type": "function", "name": "weather", "parameters": SCHEMA, "strict": False}
    arguments = {"model": "m", "input": "hello", "tools": [tool]}
    if stream:
        with openai_client().responses.stream(**arguments) as events:
            response = events.get_final_response()
    else:
        response = openai_client().responses.create(**arguments)
    return same(response.output[-1].arguments, '{"city":"Zürich"}')


def embeddings():
    found = openai_client().embeddings.create(model="m", input=["one", "two"], encoding_format="float")
    return same([len(item.embedding) for item in found.data], [3, 3])


# Kept by a name: a client of this SDK that nobody holds closes itself.
GOOGLE = genai.Client(api_key="key", http_options=types.HttpOptions(base_url=BASE))


def google_stream():
    chunks = list(GOOGLE.models.generate_content_stream(model="m", contents="hello"))
    assert chunks[-1].usage_metadata.thoughts_token_count == 4, chunks[-1]
    assert chunks[-1].candidates[0].finish_reason == types.FinishReason.STOP, chunks[-1]
    return same("".join(chunk.text or "" for chunk in chunks), GREETING)


def google_tool():
    declaration = {"name": "weather", "parameters": {"type": "OBJECT", "properties": {"city": {"type": "STRING"}}}}
    config = types.GenerateContentConfig(tools=[types.Tool(function_declarations=[declaration])])
    found = GOOGLE.models.generate_content(model="m", contents="hello", config=config)
    assert found.candidates[0].content.parts[0].thought_signature, found
    return same(found.function_calls[0].args, {"city": "Zürich"})


def google_schema():
    schema = {"type": "OBJECT", "properties": {"answer": {"type": "INTEGER"}}}
    config = types.GenerateContentConfig(response_mime_type="application/json", response_schema=schema)
    found = GOOGLE.models.generate_content(model="m", contents="hello", config=config)
    return same(found.parsed, {"answer": 42})


def google_embeddings():
    found = GOOGLE.models.embed_content(model="m", contents=["one", "two"])
    return same([len(item.values) for item in found.embeddings], [3, 3])


print(f"anthropic {anthropic.__version__}, openai {openai.__version__}, google-genai {genai.__version__}")
check("anthropic: a stream with thoughts", anthropic_stream)
check("anthropic: a tool call, streamed", lambda: anthropic_tool(True))
check("anthropic: a tool call, whole", lambda: anthropic_tool(False))
check("openai: chat, streamed", chat_stream)
check("openai: chat, a tool call, streamed", chat_tool)
check("openai: chat, by a schema", chat_schema)
check("openai: responses, streamed", responses_stream)
check("openai: responses, a tool call, streamed", lambda: responses_tool(True))
check("openai: responses, a tool call, whole", lambda: responses_tool(False))
check("openai: embeddings", embeddings)
check("google: a stream", google_stream)
check("google: a tool call", google_tool)
check("google: by a schema", google_schema)
check("google: embeddings", google_embeddings)
sys.exit(1 if failed else 0)
