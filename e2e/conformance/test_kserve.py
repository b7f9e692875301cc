"""KServe's own clients: V1 and V2 over REST, V2 over gRPC. In a process of their own: both vendors register the same protobuf names."""
import asyncio
import base64

import httpx
import numpy as np
import pytest
from kserve import InferenceGRPCClient, InferenceRESTClient, InferInput, InferRequest, RESTConfig
from kserve.protocol.infer_type import RequestedOutput

from cases import ARRAYS, GRPC, HTTP, JSON_DATATYPES, model_of

BASE = f"http://{HTTP}"


def run(work):
    return asyncio.run(work)


def tensor(name, array, datatype, binary):
    t = InferInput(name, list(array.shape), datatype)
    t.set_data_from_numpy(array, binary_data=binary)
    return t


def values(array):
    return [e.decode() if isinstance(e, bytes) else e for e in np.asarray(array).ravel().tolist()]


def test_health_over_v2():
    async def talk():
        async with InferenceRESTClient(RESTConfig(protocol="v2")) as client:
            assert await client.is_server_live(BASE) is True and await client.is_server_ready(BASE) is True
            assert await client.is_model_ready(BASE, "affine") is True
            assert await client.is_model_ready(BASE, "nobody") is False
    run(talk())


def test_health_and_predict_over_v1():
    async def talk():
        async with InferenceRESTClient(RESTConfig(protocol="v1")) as client:
            assert await client.is_server_live(BASE) is True
            assert await client.is_model_ready(BASE, "affine") is True
            got = await client.infer(BASE, {"instances": [[1, 1], [2, 0]]}, model_name="affine")
            assert got == {"predictions": [[-0.5], [4.5]]}
            named = await client.infer(BASE, {"instances": [{"a": [1, 2, 3, 4], "b": [4, 3, 2, 1]}]}, model_name="add_sub")
            assert named["predictions"] == [{"sum": [5, 5, 5, 5], "difference": [-3, -1, 1, 3]}]
            spelled = {"b64": base64.b64encode("größer 🦉".encode()).decode()}
            texts = await client.infer(BASE, {"instances": [[spelled, "", "owl"]]}, model_name="identity_bytes")
            assert texts == {"predictions": [["größer 🦉", "", "owl"]]}
            with pytest.raises(httpx.HTTPStatusError):
                await client.infer(BASE, {"instances": "no list"}, model_name="affine")
    run(talk())


@pytest.mark.parametrize("binary", [True, False])
@pytest.mark.parametrize("datatype", ARRAYS)
def test_a_datatype_goes_there_and_back_over_rest(datatype, binary):
    if not binary and datatype not in JSON_DATATYPES:
        return
    sent = ARRAYS[datatype]
    wanted = [RequestedOutput("y", parameters={"binary_data": binary})]
    request = InferRequest("m", [tensor("x", sent, datatype, binary)], request_outputs=wanted)

    async def talk():
        async with InferenceRESTClient(RESTConfig(protocol="v2")) as client:
            return await client.infer(BASE, request, model_name=model_of(datatype))
    got = run(talk())
    assert got.model_name == model_of(datatype)
    assert values(got.outputs[0].as_numpy()) == values(sent)


@pytest.mark.parametrize("datatype", [d for d in ARRAYS if d != "FP16"])
def test_a_datatype_goes_there_and_back_over_grpc(datatype):
    sent = ARRAYS[datatype]

    async def talk():
        async with InferenceGRPCClient(GRPC) as client:
            request = InferRequest(model_of(datatype), [tensor("x", sent, datatype, False)], request_id="k-1")
            return await client.infer(request)
    got = run(talk())
    assert got.id == "k-1"
    assert values(got.outputs[0].as_numpy()) == values(sent)


def test_health_over_grpc_and_a_refusal():
    async def talk():
        async with InferenceGRPCClient(GRPC) as client:
            assert await client.is_server_live() and await client.is_server_ready() and await client.is_model_ready("affine")
            bad = InferRequest("affine", [tensor("z", np.array([[1, 1]], np.float32), "FP32", False)])
            with pytest.raises(Exception, match="z"):
                await client.infer(bad)
    run(talk())


def test_a_refusal_over_v2_is_an_http_error_with_the_sentence():
    async def talk():
        async with InferenceRESTClient(RESTConfig(protocol="v2")) as client:
            request = InferRequest("m", [tensor("z", np.array([[1, 1]], np.float32), "FP32", False)])
            with pytest.raises(httpx.HTTPStatusError, match="z"):
                await client.infer(BASE, request, model_name="affine")
    run(talk())
