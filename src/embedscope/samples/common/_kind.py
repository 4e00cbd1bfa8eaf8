"""What differs between kinds of samples: objects, patches, table rows and items of an array.

Each kind is one subclass of `Kind`, in the module that makes its samples. Other code calls the
methods of `kind_of(samples)` instead of branching on kinds.

A new kind needs three things: a module with its recipe, its subclass of `Kind` and its public
function; that function among the names of `embedscope.samples`, whose import also registers the
kind; and its name in `SourceKind`, if its sources are of a new kind too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar

import numpy.typing as npt

from embedscope._errors import InvalidInputError
from embedscope.samples.common._recipe import Recipe
from embedscope.samples.common._scaling import ChannelScale

if TYPE_CHECKING:
    from embedscope.samples.common._samples import LeftOut, Samples, SamplesPart

R = TypeVar("R", bound=Recipe)

_KINDS: dict[type[Recipe], type[Kind[Any]]] = {}


class Kind(Generic[R]):
    """One kind of samples, with the recipe of some of them.

    A subclass names the class of its recipes, which registers it: ``class ObjectKind(
    Kind[CropRecipe], recipe=CropRecipe)``. It has to override `repeat`; the other methods have
    defaults that suit data which are used unchanged.

    Parameters
    ----------
    recipe : Recipe

    Attributes
    ----------
    is_cut : bool
        The pictures are cut out of images. A session then stores references to the images instead
        of the pictures, and calls `cut_again`.
    """

    is_cut: ClassVar[bool] = False

    def __init__(self, recipe: R) -> None:
        self.recipe = recipe

    def __init_subclass__(cls, *, recipe: type[Recipe]) -> None:
        _KINDS[recipe] = cls

    def repeat(self, samples: Samples, data: Any, labels: Any, **options: Any) -> Samples:
        """Make samples of new data in the same way; see `Samples.same_way`.

        Raises
        ------
        InvalidInputError
            If the data do not fit, or labels are given to a kind that has none.
        """
        self.refuse_labels(labels)
        raise InvalidInputError(
            "recipe must be one that can be repeated; got "
            f"{type(self.recipe).__name__}. Make the samples with one of the samples_from "
            "functions."
        )

    def repeat_in_parts(
        self, samples: Samples, n_rows: int, data: Any, labels: Any, **options: Any
    ) -> Iterator[Callable[[], SamplesPart]]:
        """Make samples of new data in parts; see `Samples.parts_same_way`. By default, in one."""
        from embedscope.samples.common._samples import SamplesPart

        made = self.repeat(samples, data, labels, **options)
        yield lambda: SamplesPart(made, made.left_out)

    def comparable(self) -> Recipe:
        """The recipe without settings that may differ between samples of one set."""
        return self.recipe

    def scale_values(self, samples: Samples) -> tuple[Any, ...]:
        """The numbers that scaled the samples; two sets with equal ones share a scale."""
        scale = samples.scale
        # Groups are not compared: each has its own numbers, and later samples may be of new ones.
        return () if scale is None else (*scale.low.tolist(), *scale.high.tolist())

    def measure_scale_again(self, joined: Samples) -> Samples:
        """The joined samples of several scales, with one scale that is measured on all of them.

        Raises
        ------
        InvalidInputError
            If pictures of some of them are absent.
        """
        if joined.images is None:
            return joined
        if joined.absent:
            raise InvalidInputError(
                f"parts must have their pictures to be scaled as one set; got none of "
                f"{sorted(joined.absent)}. Attach these images, or make parts with same_way."
            )
        return replace(joined, scale=self.measure_scale(joined.images))

    def measure_scale(self, images: npt.NDArray[Any]) -> ChannelScale:
        """The scale of pictures, measured on them."""
        together = self.recipe.is_rgb
        return ChannelScale.from_images(images, self.percentiles(), together=together)

    def notes_of_joined(self, parts: Sequence[Samples]) -> tuple[LeftOut, ...]:
        """What to say of parts that may be joined, but differ."""
        return ()

    def percentiles(self) -> tuple[float, float]:
        """The percentiles of each channel that become 0 and 1."""
        return (0.0, 100.0)

    def cut_again(self, samples: Samples, name: str, image: Any, labels: Any) -> Samples:
        """Cut the pictures of one source again, from the same image as before.

        Parameters
        ----------
        samples : Samples
        name : str
            The source.
        image, labels : array, pyramid or None

        Returns
        -------
        Samples
            All that the image holds, whether `samples` has them or not.

        Raises
        ------
        InvalidInputError
            If samples of this kind are not cut from images, or the image does not fit.
        """
        raise InvalidInputError(
            f"samples must be cut from an image to take it back; got samples of "
            f"{self.recipe.kind}. They need none."
        )

    def refuse_labels(self, labels: Any) -> None:
        """Raise if labels are given, for a kind that has none."""
        if labels is not None:
            raise InvalidInputError(
                f"labels must be None for samples from {self.recipe.kind}; got an array. Leave it "
                "out."
            )


def kind_of(samples: Samples) -> Kind[Any]:
    """The kind of some samples, by the class of their recipe."""
    return _KINDS.get(type(samples.recipe), Kind)(samples.recipe)
