"""safetensors_file.py - reads and writes the safetensors format.

Eight bytes little-endian with the length of a JSON header, the header, then the
tensors; https://github.com/huggingface/safetensors describes it.
"""

import json
import struct

import numpy

TYPES = {"F16": numpy.float16, "F32": numpy.float32}


def write(path, tensors):
    """{name: float16 array} in the order of the names."""
    header, at = {"__metadata__": {"format": "pt"}}, 0
    for name in sorted(tensors):
        size = tensors[name].nbytes
        header[name] = {"dtype": "F16", "shape": list(tensors[name].shape),
                        "data_offsets": [at, at + size]}
        at += size
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for name in sorted(tensors):
            file.write(numpy.ascontiguousarray(tensors[name]).tobytes())


def write_parts(folder, parts):
    """Several files and model.safetensors.index.json, which says what is in
    which."""
    places = {}
    for number, tensors in enumerate(parts, 1):
        name = "model-%05d-of-%05d.safetensors" % (number, len(parts))
        write(folder / name, tensors)
        places.update(dict.fromkeys(tensors, name))
    size = sum(array.nbytes for tensors in parts for array in tensors.values())
    index = {"metadata": {"total_size": size},
             "weight_map": dict(sorted(places.items()))}
    (folder / "model.safetensors.index.json").write_text(
        json.dumps(index, indent=2) + "\n")


def read(path):
    """{name: float32 array}"""
    with open(path, "rb") as file:
        length, = struct.unpack("<Q", file.read(8))
        header = json.loads(file.read(length))
        data = file.read()
    tensors = {}
    for name, entry in header.items():
        if name == "__metadata__":
            continue
        begin, end = entry["data_offsets"]
        flat = numpy.frombuffer(data[begin:end], TYPES[entry["dtype"]])
        tensors[name] = flat.reshape(entry["shape"]).astype(numpy.float32)
    return tensors
