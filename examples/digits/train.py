"""Train the digits network and write it as `digits.onnx` beside this file.

    python examples/digits/train.py [--validate]

Judge a change of the hyper-parameters with `--validate`, which trains on four fifths of the training digits and scores
the rest, five times; the held-out digits are scored once, after the last epoch, and decide nothing.
"""

import argparse
from pathlib import Path

import data
import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

SEED = 0
EPOCHS = 60
BATCH = 64
PEAK_LEARNING_RATE = 4e-3
WEIGHT_DECAY = 0.05
MODEL = Path(__file__).with_name("digits.onnx")


class Residual(nn.Module):
    """`activation(x + bn2(conv2(activation(bn1(conv1(x))))))`, two 3x3 convolutions, [N, channels, H, W] to same."""

    def __init__(self, channels: int, hidden: int, activation: type[nn.Module]) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, hidden, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(hidden)
        self.act1 = activation()
        self.conv2 = nn.Conv2d(hidden, channels, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(channels)
        self.act2 = activation()

    def forward(self, x: Tensor) -> Tensor:
        branch = self.bn2(self.conv2(self.act1(self.bn1(self.conv1(x)))))
        return self.act2(x + branch)


class Separable(nn.Module):
    """A depthwise 3x3 convolution of stride 2, then a pointwise one: [N, inputs, H, W] to [N, outputs, H/2, W/2]."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.depthwise = nn.Conv2d(inputs, inputs, 3, stride=2, padding=1, groups=inputs, bias=False)
        self.bn1 = nn.BatchNorm2d(inputs)
        self.act1 = nn.ReLU6()
        self.pointwise = nn.Conv2d(inputs, outputs, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.act2 = nn.ReLU6()

    def forward(self, x: Tensor) -> Tensor:
        x = self.act1(self.bn1(self.depthwise(x)))
        return self.act2(self.bn2(self.pointwise(x)))


class DigitsNet(nn.Module):
    """[N, 1, 8, 8] images to [N, 10] probabilities; `logits` is what the cross-entropy loss takes."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(1, 32, 3, padding=1, bias=False)
        self.bn = nn.BatchNorm2d(32)
        self.act = nn.ReLU()
        self.block1 = Residual(32, 32, nn.ReLU)
        self.down = Separable(32, 64)
        self.block2 = Residual(64, 32, nn.ReLU6)
        self.maxpool = nn.MaxPool2d(2)
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.flatten = nn.Flatten()
        self.fc = nn.Linear(64, 10)
        self.softmax = nn.Softmax(dim=1)

    def logits(self, x: Tensor) -> Tensor:
        x = self.act(self.bn(self.conv(x)))
        x = self.block2(self.down(self.block1(x)))
        return self.fc(self.flatten(self.avgpool(self.maxpool(x))))

    def forward(self, x: Tensor) -> Tensor:
        return self.softmax(self.logits(x))


def shifted(images: Tensor, generator: torch.Generator) -> Tensor:
    """Move each image by -1, 0 or 1 pixels in each direction, filling with background."""
    count, _, height, width = images.shape
    padded = functional.pad(images, (1, 1, 1, 1))
    top, left = torch.randint(0, 3, (2, count, 1, 1), generator=generator)
    rows = top + torch.arange(height).view(1, height, 1)
    columns = left + torch.arange(width).view(1, 1, width)
    return padded[torch.arange(count).view(count, 1, 1), 0, rows, columns].unsqueeze(1)


def train(digits: data.Digits) -> DigitsNet:
    """Train a new network for `EPOCHS` epochs and return it in evaluation mode."""
    torch.manual_seed(SEED)
    generator = torch.Generator().manual_seed(SEED)
    images, labels = torch.from_numpy(digits.images), torch.from_numpy(digits.labels)

    network = DigitsNet()
    optimizer = torch.optim.AdamW(network.parameters(), lr=PEAK_LEARNING_RATE, weight_decay=WEIGHT_DECAY)
    # The last, smaller batch is dropped; the shuffle picks other digits for it in every epoch.
    batches = len(images) // BATCH
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, PEAK_LEARNING_RATE, total_steps=EPOCHS * batches)
    for _ in range(EPOCHS):
        order = torch.randperm(len(images), generator=generator)
        for batch in order[: batches * BATCH].view(batches, BATCH):
            loss = functional.cross_entropy(network.logits(shifted(images[batch], generator)), labels[batch])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
    return network.eval()


def correct(network: DigitsNet, digits: data.Digits) -> int:
    """Count the digits whose most probable class is their label."""
    with torch.no_grad():
        probabilities = network(torch.from_numpy(digits.images)).numpy()
    return int(np.count_nonzero(probabilities.argmax(axis=1) == digits.labels))


def export(network: DigitsNet, path: Path) -> None:
    """Write the network as ONNX opset 17, batch 1; torch folds each BatchNormalization into its convolution."""
    torch.onnx.export(
        network,
        (torch.zeros(1, 1, 8, 8),),
        path,
        input_names=["image"],
        output_names=["probabilities"],
        opset_version=17,
        # The TorchScript exporter names nodes after modules (/block1/conv1/Conv).
        dynamo=False,
    )


def validate(digits: data.Digits) -> None:
    """Train on four fifths of `digits`, print the accuracy on the rest, for each of the five fifths."""
    fold = np.arange(len(digits.labels)) % 5
    for rest in range(5):
        network = train(data.Digits(digits.images[fold != rest], digits.labels[fold != rest]))
        scored = data.Digits(digits.images[fold == rest], digits.labels[fold == rest])
        print(f"fold {rest}: {correct(network, scored)} of {len(scored.labels)}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--validate", action="store_true", help="cross-validate on the training digits, write nothing")
    arguments = parser.parse_args()

    torch.use_deterministic_algorithms(True)
    # One thread, so that sums are always taken in the same order.
    torch.set_num_threads(1)
    training, held_out = data.load()
    if arguments.validate:
        validate(training)
        return
    network = train(training)
    export(network, MODEL)
    print(f"parameters: {sum(parameter.numel() for parameter in network.parameters())}")
    for name, digits in (("train", training), ("held-out", held_out)):
        right = correct(network, digits)
        print(f"{name}: {right} of {len(digits.labels)} = {right / len(digits.labels):.2%}")


if __name__ == "__main__":
    main()
