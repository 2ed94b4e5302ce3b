"""Proves that this image computes: on the GPU where there is one, else on the CPU."""

import torch

device = "cuda" if torch.cuda.is_available() else "cpu"
matrix = torch.eye(64, device=device) * 2
assert float((matrix @ matrix).trace()) == 256.0
print("torch", torch.__version__, "on", device)
