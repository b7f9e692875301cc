"""tritonclient over gRPC, the sync, the streaming and the asyncio one."""
import asyncio
import queue

import ml_dtypes
import numpy as np
import pytest
import tritonclient.grpc as grpc
import tritonclient.grpc.aio as aio
from tritonclient.utils import InferenceServerException

from cases import ARRAYS, GRPC, model_of, same


@pytest.fixture(scope="module")
def client():
    with grpc.InferenceServerClient(GRPC) as c:
        yield c


def tensor(name, array, datatype):
    t = grpc.InferInput(name, list(array.shape), datatype)
    t.set_data_from_numpy(array)
    return t


def floats(name, values):
    return tensor(name, np.array(values, np.float32), "FP32")


def test_the_server_is_live_and_ready_and_says_what_it_is(client):
    assert client.is_server_live() and client.is_server_ready()
    assert client.get_server_metadata().version


def test_a_model_says_its_shape_and_versions(client):
    assert client.is_model_ready("affine") and not client.is_model_ready("nobody")
    meta = client.get_model_metadata("add_sub")
    assert [(t.name, t.datatype, list(t.shape)) for t in meta.inputs] == [("a", "FP32", [-1, 4]), ("b", "FP32", [-1, 4])]
    assert sorted(client.get_model_metadata("times").versions) == ["1", "2"]
    assert client.get_model_config("affine").config.name == "affine"


@pytest.mark.parametrize("datatype", ARRAYS)
def test_a_datatype_goes_there_and_back(client, datatype):
    sent = ARRAYS[datatype]
    same(client.infer(model_of(datatype), [tensor("x", sent, datatype)]).as_numpy("y"), sent)


def test_bf16_goes_there_and_back(client):
    sent = np.array([[0.5, -1.5, 3e38]], ml_dtypes.bfloat16)
    got = client.infer("identity_bf16", [tensor("x", sent, "BF16")]).as_numpy("y")
    np.testing.assert_array_equal(got.astype(np.float32), sent.astype(np.float32))


def test_only_the_requested_outputs_come_back_and_so_does_the_id(client):
    a = [[1, 2, 3, 4]]
    got = client.infer("add_sub", [floats("a", a), floats("b", a)], request_id="r-2",
                       outputs=[grpc.InferRequestedOutput("difference")])
    assert got.get_response().id == "r-2"
    assert got.as_numpy("sum") is None and got.as_numpy("difference").tolist() == [[0, 0, 0, 0]]


def test_a_version_is_the_one_asked_for_and_else_the_newest(client):
    x = [floats("x", [[3]])]
    assert client.infer("times", x, model_version="1").as_numpy("y").tolist() == [[3]]
    assert client.infer("times", x).as_numpy("y").tolist() == [[6]]


def test_classes_come_with_their_names(client):
    wanted = [grpc.InferRequestedOutput("probabilities", class_count=2)]
    got = client.infer("classifier", [floats("x", [[0, 3, 1]])], outputs=wanted).as_numpy("probabilities")
    assert [entry.decode().split(":")[1:] for entry in got.ravel()] == [["1", "dog"], ["2", "owl"]]


@pytest.mark.parametrize("way", ["gzip", "deflate"])
def test_messages_may_be_compressed(client, way):
    got = client.infer("affine", [floats("x", [[1, 1]])], compression_algorithm=way)
    assert got.as_numpy("y").tolist() == [[-0.5]]


def test_a_large_message_goes_through(client):
    x = np.arange(4_000_000, dtype=np.float32).reshape(-1, 2) / 4_000_000
    got = client.infer("affine", [floats("x", x)]).as_numpy("y")
    np.testing.assert_allclose(got[:, 0], 2 * x[:, 0] - 3 * x[:, 1] + 0.5, atol=1e-5)


@pytest.mark.parametrize("what, model, inputs, status", [
    ("an unknown model", "nobody", [floats("x", [[1, 1]])], "StatusCode.NOT_FOUND"),
    ("an unknown input", "affine", [floats("z", [[1, 1]])], "StatusCode.INVALID_ARGUMENT"),
    ("a wrong shape", "affine", [floats("x", [[1, 1, 1]])], "StatusCode.INVALID_ARGUMENT"),
    ("a wrong datatype", "affine", [tensor("x", np.array([[1, 1]], np.int32), "INT32")], "StatusCode.INVALID_ARGUMENT"),
    ("a missing input", "add_sub", [floats("a", [[1, 2, 3, 4]])], "StatusCode.INVALID_ARGUMENT"),
])
def test_a_refusal_is_an_exception_with_a_sentence(client, what, model, inputs, status):
    with pytest.raises(InferenceServerException) as caught:
        client.infer(model, inputs)
    assert caught.value.status() == status and len(caught.value.message()) > 10


def test_callbacks_get_their_own_answers(client):
    answers = queue.Queue()
    for i in range(64):
        client.async_infer("affine", [floats("x", [[i, 0]])], lambda result, error, i=i: answers.put((i, result, error)))
    for _ in range(64):
        i, result, error = answers.get(timeout=20)
        assert error is None and result.as_numpy("y").tolist() == [[2 * i + 0.5]]


def test_a_stream_answers_each_message_and_survives_a_bad_one(client):
    answers = queue.Queue()
    client.start_stream(lambda result, error: answers.put((result, error)))
    try:
        client.async_stream_infer("affine", [floats("x", [[1, 1]])], request_id="good")
        client.async_stream_infer("affine", [floats("nothing", [[1, 1]])], request_id="bad")
        client.async_stream_infer("affine", [floats("x", [[2, 0]])], request_id="good again")
        got = [answers.get(timeout=20) for _ in range(3)]
    finally:
        client.stop_stream()
    assert sorted(r.as_numpy("y")[0, 0] for r, e in got if e is None) == [-0.5, 4.5]
    assert [str(e) for _, e in got if e is not None][0].find("nothing") >= 0


def test_a_call_may_be_cancelled_and_the_next_is_answered(client):
    call = client.async_infer("affine", [floats("x", [[1, 1]])], lambda result, error: None)
    call.cancel()
    assert client.infer("affine", [floats("x", [[1, 1]])]).as_numpy("y").tolist() == [[-0.5]]


def test_statistics_count_what_was_asked(client):
    before = client.get_inference_statistics("affine").model_stats[0]
    for _ in range(3):
        client.infer("affine", [floats("x", [[1, 1]])])
    after = client.get_inference_statistics("affine").model_stats[0]
    assert after.inference_count - before.inference_count == 3
    assert after.inference_stats.success.count - before.inference_stats.success.count == 3


def test_the_repository_can_be_read_unloaded_and_loaded(client):
    assert ("times", "2") in {(m.name, m.version) for m in client.get_model_repository_index().models}
    client.unload_model("identity_int16")
    try:
        assert not client.is_model_ready("identity_int16")
    finally:
        client.load_model("identity_int16")
    assert client.is_model_ready("identity_int16")


def test_the_asyncio_client_asks_and_is_refused():
    async def talk():
        async with aio.InferenceServerClient(GRPC) as client:
            assert await client.is_server_ready() and await client.is_model_ready("affine")
            x = floats("x", [[1, 1]])
            got = await asyncio.gather(*[client.infer("affine", [x]) for _ in range(16)])
            assert all(g.as_numpy("y").tolist() == [[-0.5]] for g in got)
            with pytest.raises(InferenceServerException):
                await client.infer("nobody", [x])
    asyncio.run(talk())
