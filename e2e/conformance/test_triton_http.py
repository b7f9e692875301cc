"""tritonclient over HTTP, the sync and the asyncio one, as their users call them."""
import asyncio

import ml_dtypes
import numpy as np
import pytest
import tritonclient.http as http
import tritonclient.http.aio as aio
from tritonclient.utils import InferenceServerException

from cases import ARRAYS, HTTP, JSON_DATATYPES, model_of, same


@pytest.fixture(scope="module")
def client():
    with http.InferenceServerClient(HTTP, concurrency=8) as c:
        yield c


def tensor(name, array, datatype, binary=True):
    t = http.InferInput(name, list(array.shape), datatype)
    t.set_data_from_numpy(array, binary_data=binary)
    return t


def floats(name, values, binary=True):
    return tensor(name, np.array(values, np.float32), "FP32", binary)


def test_the_server_is_live_and_ready_and_says_what_it_is(client):
    assert client.is_server_live() and client.is_server_ready()
    meta = client.get_server_metadata()
    assert meta["name"] and meta["version"]
    assert {"binary_tensor_data", "model_repository", "statistics"} <= set(meta["extensions"])


def test_a_model_says_its_shape_and_versions(client):
    assert client.is_model_ready("affine")
    assert not client.is_model_ready("nobody")
    meta = client.get_model_metadata("add_sub")
    assert [(t["name"], t["datatype"], t["shape"]) for t in meta["inputs"]] == [("a", "FP32", [-1, 4]), ("b", "FP32", [-1, 4])]
    assert [t["name"] for t in meta["outputs"]] == ["sum", "difference"]
    assert sorted(client.get_model_metadata("times")["versions"]) == ["1", "2"]
    assert client.get_model_config("affine")["name"] == "affine"


@pytest.mark.parametrize("datatype", ARRAYS)
def test_a_datatype_goes_there_and_back_in_binary(client, datatype):
    sent = ARRAYS[datatype]
    same(client.infer(model_of(datatype), [tensor("x", sent, datatype)]).as_numpy("y"), sent)


@pytest.mark.parametrize("datatype", JSON_DATATYPES)
def test_a_datatype_goes_there_and_back_in_json(client, datatype):
    sent = ARRAYS[datatype]
    wanted = [http.InferRequestedOutput("y", binary_data=False)]
    same(client.infer(model_of(datatype), [tensor("x", sent, datatype, binary=False)], outputs=wanted).as_numpy("y"), sent)


def test_bf16_goes_there_and_back_in_binary(client):
    sent = np.array([[0.5, -1.5, 3e38]], ml_dtypes.bfloat16)
    got = client.infer("identity_bf16", [tensor("x", sent, "BF16")]).as_numpy("y")
    np.testing.assert_array_equal(got.astype(np.float32), sent.astype(np.float32))


def test_json_in_and_binary_out_and_the_other_way_round(client):
    for binary_in, binary_out in ((False, True), (True, False)):
        wanted = [http.InferRequestedOutput("y", binary_data=binary_out)]
        got = client.infer("affine", [floats("x", [[1, 1], [2, 0]], binary_in)], outputs=wanted).as_numpy("y")
        np.testing.assert_allclose(got, [[-0.5], [4.5]])


def test_one_input_in_json_beside_one_in_binary(client):
    a, b = [[1, 2, 3, 4]], [[10, 20, 30, 40]]
    got = client.infer("add_sub", [floats("a", a, False), floats("b", b, True)])
    np.testing.assert_array_equal(got.as_numpy("sum"), [[11, 22, 33, 44]])
    np.testing.assert_array_equal(got.as_numpy("difference"), [[-9, -18, -27, -36]])


def test_only_the_requested_outputs_come_back_and_so_does_the_id(client):
    a = [[1, 2, 3, 4]]
    got = client.infer("add_sub", [floats("a", a), floats("b", a)], request_id="r-1",
                       outputs=[http.InferRequestedOutput("difference")])
    assert got.get_response()["id"] == "r-1"
    assert got.as_numpy("sum") is None and got.as_numpy("difference").tolist() == [[0, 0, 0, 0]]


def test_an_empty_batch_is_refused_in_a_sentence(client):
    with pytest.raises(InferenceServerException, match="row"):
        client.infer("affine", [floats("x", np.zeros((0, 2)))])


def test_a_version_is_the_one_asked_for_and_else_the_newest(client):
    x = [floats("x", [[3]])]
    assert client.infer("times", x, model_version="1").as_numpy("y").tolist() == [[3]]
    assert client.infer("times", x, model_version="2").as_numpy("y").tolist() == [[6]]
    assert client.infer("times", x).as_numpy("y").tolist() == [[6]]


def test_classes_come_with_their_names(client):
    wanted = [http.InferRequestedOutput("probabilities", class_count=2)]
    got = client.infer("classifier", [floats("x", [[0, 3, 1]])], outputs=wanted).as_numpy("probabilities")
    names = [entry.decode().split(":")[1:] for entry in got.ravel()]
    assert names == [["1", "dog"], ["2", "owl"]]


@pytest.mark.parametrize("way", ["gzip", "deflate"])
def test_bodies_may_be_compressed_both_ways(client, way):
    x = np.arange(2000, dtype=np.float32).reshape(-1, 2)
    got = client.infer("affine", [floats("x", x)], request_compression_algorithm=way, response_compression_algorithm=way)
    np.testing.assert_allclose(got.as_numpy("y")[:, 0], 2 * x[:, 0] - 3 * x[:, 1] + 0.5)


def test_a_timeout_and_a_priority_are_taken(client):
    got = client.infer("affine", [floats("x", [[1, 1]])], timeout=5_000_000, priority=1, parameters={"tenant": "a"})
    assert got.as_numpy("y").tolist() == [[-0.5]]


@pytest.mark.parametrize("what, model, inputs, status", [
    ("an unknown model", "nobody", [floats("x", [[1, 1]])], "404"),
    ("an unknown input", "affine", [floats("z", [[1, 1]])], "400"),
    ("a wrong shape", "affine", [floats("x", [[1, 1, 1]])], "400"),
    ("a wrong datatype", "affine", [tensor("x", np.array([[1, 1]], np.int32), "INT32")], "400"),
    ("a missing input", "add_sub", [floats("a", [[1, 2, 3, 4]])], "400"),
])
def test_a_refusal_is_an_exception_with_a_sentence(client, what, model, inputs, status):
    with pytest.raises(InferenceServerException) as caught:
        client.infer(model, inputs)
    assert caught.value.status() == status and len(caught.value.message()) > 10


def test_an_unknown_output_and_version_are_refused(client):
    with pytest.raises(InferenceServerException, match="nothing"):
        client.infer("affine", [floats("x", [[1, 1]])], outputs=[http.InferRequestedOutput("nothing")])
    with pytest.raises(InferenceServerException, match="7"):
        client.infer("times", [floats("x", [[1]])], model_version="7")


def test_many_requests_at_once_get_their_own_answers(client):
    sent = [np.array([[i, 2 * i]], np.float32) for i in range(64)]
    pending = [client.async_infer("affine", [floats("x", x)]) for x in sent]
    for x, answer in zip(sent, pending):
        np.testing.assert_allclose(answer.get_result().as_numpy("y"), [[2 * x[0, 0] - 3 * x[0, 1] + 0.5]], rtol=1e-5)


def test_statistics_count_what_was_asked(client):
    before = client.get_inference_statistics("affine")["model_stats"][0]
    for _ in range(3):
        client.infer("affine", [floats("x", [[1, 1], [2, 2]])])
    after = client.get_inference_statistics("affine")["model_stats"][0]
    grown = lambda *path: reduce_path(after, path) - reduce_path(before, path)
    assert grown("inference_count") == 6 and 1 <= grown("execution_count") <= 3
    assert grown("inference_stats", "success", "count") == 3 and grown("inference_stats", "compute_infer", "ns") > 0


def reduce_path(document, path):
    for key in path:
        document = document[key]
    return document


def test_the_repository_can_be_read_unloaded_and_loaded(client):
    assert ("times", "2") in {(m["name"], m.get("version")) for m in client.get_model_repository_index()}
    client.unload_model("identity_int8")
    try:
        assert not client.is_model_ready("identity_int8")
    finally:
        client.load_model("identity_int8")
    assert client.is_model_ready("identity_int8")
    with pytest.raises(InferenceServerException):
        client.load_model("nobody")


def test_the_asyncio_client_asks_reads_and_is_refused():
    async def talk():
        async with aio.InferenceServerClient(HTTP) as client:
            assert await client.is_server_ready() and await client.is_model_ready("affine")
            x = floats("x", [[1, 1]])
            got = await asyncio.gather(*[client.infer("affine", [x]) for _ in range(16)])
            assert all(g.as_numpy("y").tolist() == [[-0.5]] for g in got)
            packed = await client.infer("affine", [x], request_compression_algorithm="gzip", response_compression_algorithm="gzip")
            assert packed.as_numpy("y").tolist() == [[-0.5]]
            with pytest.raises(InferenceServerException):
                await client.infer("nobody", [x])
    asyncio.run(talk())
