"""The official Python SDK against both transports: every listed tool is called, every document read.

Every line says what held; the exit code is 1 where one did not.
"""

import asyncio
import json
import os
import pathlib
import sys

import httpx2
from mcp import Client, StdioServerParameters
from mcp.client.streamable_http import streamable_http_client

CALLS = json.loads((pathlib.Path(__file__).parent / "calls.json").read_text())
NYXCORE = os.environ["NYXCORE"]
STREAMS = ["--data-dir", os.environ["NYXCORE_DATA"], "mcp", "--folder", os.environ["NYXCORE_FOLDER"]]
PROXY = ["mcp", "--server", os.environ["NYXCORE_URL"]]
TOKEN = os.environ["NYXCORE_TOKEN"]
# The least that is listed where the folder is not there: `check` needs it.
ELSEWHERE = set(CALLS) - {"check"}
failed = 0


def told(name, holds, what):
    global failed
    failed += not holds
    print(f"{'passed' if holds else 'FAILED'}  python {name:<40} {what}")


async def judge(name, server, expected, mode):
    async with Client(server, mode=mode) as client:
        tools = (await client.list_tools()).tools
        names = {tool.name for tool in tools}
        told(f"{name} tools/list", names == expected, f"{client.protocol_version}: {len(names)} tools")
        for tool in sorted(names):
            arguments = json.loads(json.dumps(CALLS[tool]).replace("%unique%", f"python {name}"))
            # The SDK holds structured answers against the tool's output schema.
            result = await client.call_tool(tool, arguments)
            text = "".join(getattr(part, "text", "") for part in result.content)
            told(f"{name} {tool}", not result.is_error and bool(text), f"{len(text)} bytes")
        resources = (await client.list_resources()).resources
        read = await client.read_resource(str(resources[0].uri))
        told(f"{name} resources/read", "Atlas" in read.contents[0].text, resources[0].uri)
        prompts = (await client.list_prompts()).prompts
        told(f"{name} prompts/list", isinstance(prompts, list), f"{len(prompts)} prompts")


async def main():
    headers = {"Authorization": f"Bearer {TOKEN}"}
    for mode in ["legacy", "auto"]:
        streams = StdioServerParameters(command=NYXCORE, args=STREAMS)
        await judge(f"stdio {mode}", streams, set(CALLS), mode)
        proxy = StdioServerParameters(command=NYXCORE, args=PROXY, env={"NYXCORE_TOKEN": TOKEN})
        await judge(f"proxy {mode}", proxy, ELSEWHERE, mode)
        async with httpx2.AsyncClient(headers=headers, timeout=60) as http:
            transport = streamable_http_client(f"{os.environ['NYXCORE_URL']}/mcp", http_client=http)
            await judge(f"http {mode}", transport, ELSEWHERE, mode)


asyncio.run(main())
sys.exit(1 if failed else 0)
