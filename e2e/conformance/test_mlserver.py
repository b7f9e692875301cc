"""MLServer's types and codecs: what they write is understood here, and what we answer fits their models."""
import json
import urllib.request

import numpy as np
import pytest
from mlserver.codecs import NumpyCodec, NumpyRequestCodec, StringCodec
from mlserver.types import (InferenceRequest, InferenceResponse, MetadataModelResponse, MetadataServerResponse,
                            RepositoryIndexResponse)

from cases import ARRAYS, HTTP, model_of


def ask(path, body=None):
    data = None if body is None else body.encode()
    with urllib.request.urlopen(urllib.request.Request(f"http://{HTTP}{path}", data=data), timeout=20) as r:
        return r.read()


def infer(model, request):
    return InferenceResponse.model_validate_json(ask(f"/v2/models/{model}/infer", request.model_dump_json(exclude_none=True)))


def test_the_metadata_fits_their_types():
    assert MetadataServerResponse.model_validate_json(ask("/v2")).name
    meta = MetadataModelResponse.model_validate_json(ask("/v2/models/add_sub"))
    assert [t.name for t in meta.inputs] == ["a", "b"] and meta.platform


def test_the_repository_index_fits_their_types():
    index = RepositoryIndexResponse.model_validate_json(ask("/v2/repository/index", "{}"))
    assert "affine" in {m.name for m in index.root}


@pytest.mark.parametrize("datatype", [d for d in ARRAYS if d not in ("FP16", "BYTES", "BOOL")])
def test_an_array_of_their_codec_goes_there_and_back(datatype):
    sent = ARRAYS[datatype]
    got = infer(model_of(datatype), InferenceRequest(id="m-1", inputs=[NumpyCodec.encode_input("x", sent)]))
    assert got.id == "m-1" and got.model_name == model_of(datatype)
    np.testing.assert_array_equal(NumpyCodec.decode_output(got.outputs[0]), sent)


def test_strings_of_their_codec_go_there_and_back():
    request_input = StringCodec.encode_input("x", ["", "owl", "größer 🦉"])
    request_input.shape = [1, 3]
    got = infer("identity_bytes", InferenceRequest(inputs=[request_input]))
    assert got.outputs[0].datatype == "BYTES" and list(got.outputs[0].data.root) == ["", "owl", "größer 🦉"]


def test_a_request_of_their_codec_with_parameters_is_answered():
    request = NumpyRequestCodec.encode_request(np.array([[1, 1]], np.float32))
    request.inputs[0].name = "x"
    assert infer("affine", request).outputs[0].data.root == [-0.5]


def test_an_error_is_the_protocols_object():
    with pytest.raises(urllib.error.HTTPError) as caught:
        ask("/v2/models/affine/infer", json.dumps({"inputs": []}))
    assert caught.value.code == 400 and list(json.loads(caught.value.read())) == ["error"]
