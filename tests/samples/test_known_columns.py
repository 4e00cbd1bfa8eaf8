"""Columns that number objects, as the tables of common programs have them."""

from __future__ import annotations

import io

import numpy as np
import pandas as pd
import pytest

from embedscope._errors import InvalidInputError
from embedscope.samples import Source, samples_from_labels, samples_from_table

N = 6
AREA = np.array([10.0, 12, 20, 25, 31, 40])


def learned(**columns):
    return samples_from_table(pd.DataFrame(columns | {"area": AREA}))


def test_cellprofiler():
    samples = learned(
        ImageNumber=[1, 1, 1, 2, 2, 2],
        ObjectNumber=[1, 2, 3, 1, 2, 3],
        Parent_Nuclei=[4, 5, 6, 1, 2, 3],
        Number_Object_Number=[1, 2, 3, 1, 2, 3],
    )
    assert samples.feature_names == ("area",)
    assert samples.identities.label.tolist() == [1, 2, 3, 1, 2, 3]
    assert samples.identities.frame.tolist() == [1, 1, 1, 2, 2, 2]
    reasons = dict(samples.left_out)
    assert reasons["ImageNumber"] == reasons["ObjectNumber"] == "holds identities, not measurements"
    assert reasons["Parent_Nuclei"].startswith("numbers objects, which is no measurement")
    assert list(samples.features) == ["Parent_Nuclei", "Number_Object_Number", "area"]


def test_cellprofiler_table_of_images():
    assert learned(ImageNumber=range(1, 7)).identities.label.tolist() == [1, 2, 3, 4, 5, 6]


def test_numbers_of_classes_are_there_to_colour_by():
    samples = learned(target=[0, 1, 2, 0, 1, 2])
    assert samples.feature_names == ("area",)
    assert samples.features["target"].tolist() == [0, 1, 2, 0, 1, 2]
    assert samples.left_out[0].reason.startswith("numbers classes, which is no measurement")
    frame = pd.DataFrame({"leiden": [0, 1, 2, 0, 1, 2], "area": AREA})
    assert samples_from_table(frame, columns=["leiden", "area"]).feature_names == ("leiden", "area")
    assert learned(target=[0.5, 1, 2, 0, 1, 2]).feature_names == ("target", "area")  # measured
    assert learned(target=[151, 75, 141, 206, 135, 97]).feature_names == ("target", "area")


def test_ilastik_counts_objects_from_0():
    samples = learned(object_id=range(N), timestep=0, labelimage_oid=[3, 4, 5, 6, 7, 9])
    assert samples.identities.label.tolist() == [3, 4, 5, 6, 7, 9]
    samples = learned(object_id=range(N))
    assert samples.identities.label.tolist() == [0, 1, 2, 3, 4, 5]
    assert samples.feature_names == ("area",)


def test_trackmate():
    samples = learned(ID=[7, 9, 3, 5, 8, 6], TRACK_ID=[0, 0, 0, 1, 1, 1], FRAME=[0, 1, 2] * 2)
    assert samples.identities.label.tolist() == [7, 9, 3, 5, 8, 6]
    assert samples.identities.frame.tolist() == [0, 1, 2, 0, 1, 2]
    assert samples.feature_names == ("area",)
    assert samples.column("TRACK_ID").tolist() == [0, 0, 0, 1, 1, 1]


# Headers of files in public repositories: ilastik's table, CellProfiler's Nuclei.csv
# (cytomining/cytominer-database), TrackMate 7 and 8 (trackmate-sc/TrackMate), MCMICRO, and
# regionprops_table of scikit-image.
PLACES = {
    "ilastik": "Bounding Box Minimum_0,Bounding Box Maximum_1,Center of the object_0,"
    "Center of the skeleton_1,ObjectCenter_2",
    "CellProfiler": "AreaShape_BoundingBoxMaximum_X,AreaShape_Center_Y,Location_Center_Z,"
    "Location_CenterMassIntensity_Z_Hoechst,Location_MaxIntensity_X_Alexa568,"
    "Neighbors_FirstClosestObjectNumber_1,Neighbors_SecondClosestObjectNumber_Adjacent",
    "TrackMate": "POSITION_X,POSITION_T,VISIBILITY,MANUAL_SPOT_COLOR,MANUAL_COLOR,ROI_N_POINTS,"
    "TRACK_INDEX,TRACK_X_LOCATION,TRACK_START,SPOT_SOURCE_ID,SPOT_TARGET_ID,EDGE_TIME",
    "laptrack": "position_x,position_y",
    "ImageJ": "X,Y,XM,YM,BX,BY,FeretX,FeretY,Slice",
    "btrack": "t,x,y,z,parent,root,generation",
    "ABBA": "Allen CCFv3 X mm,Allen CCFv3 Z mm",
    "MCMICRO": "X_centroid,column_centroid,row_centroid",
    "scikit-image": "bbox-0,bbox-3,centroid-1,centroid_weighted-0,weighted_centroid-1,"
    "centroid_weighted_local-0-1",
}
MEASURED = (
    "Probability of cell,Radii of the object_0,Size in pixels,Neighbors_FirstClosestDistance_1,"
    "Neighbors_NumberOfNeighbors_1,Children_Cells_Count,NUMBER_SPOTS,TRACK_MEAN_SPEED,"
    "AreaShape_Orientation,axis_major_length"
)


@pytest.mark.parametrize("program", PLACES)
def test_places_and_other_objects_are_no_measurements(program):
    names = PLACES[program].split(",")
    samples = learned(**{name: [4, 2, 9, 7, 1, 3] for name in names})
    assert samples.feature_names == ("area",)
    assert set(names) <= set(samples.features)


def test_short_names_alone_tell_no_place():
    assert learned(x=AREA[::-1], Y=AREA).feature_names == ("x", "Y", "area")


def test_measurements_with_similar_names_are_learned_from():
    names = MEASURED.split(",")
    samples = learned(**{name: [4, 2, 9, 7, 1, 3] for name in names})
    assert samples.feature_names == (*names, "area")


def test_an_object_of_no_track_is_a_sample_too():
    samples = learned(TRACK_ID=[0, 0, 1, 1, np.nan, np.nan], FRAME=[0, 1, 0, 1, 0, 1])
    assert samples.feature_names == ("area",)
    assert len(samples) == N


def test_row_numbers_of_imagej():
    table = pd.DataFrame({" ": range(1, 7), "Label": ["a.tif"] * 6, "area": AREA})
    samples = samples_from_table(table)
    assert samples.feature_names == ("area",)
    assert samples.identities.label.tolist() == [1, 2, 3, 4, 5, 6]


@pytest.mark.parametrize("name", ["CellID", "cell_id", "Object Number", "instance_id", "Label ID"])
def test_other_names(name):
    samples = learned(**{name: [11, 12, 13, 14, 15, 19]})
    assert samples.identities.label.tolist() == [11, 12, 13, 14, 15, 19]
    assert dict(samples.left_out)[name] == "holds identities, not measurements"
    assert name not in samples.features


def test_the_index_that_pandas_has_written():
    def there_and_back(frame):
        return pd.read_csv(io.StringIO(frame.to_csv()))

    frame = pd.DataFrame({"area": AREA})
    samples = samples_from_table(there_and_back(frame))
    assert samples.feature_names == ("area",)
    assert samples.identities.label.tolist() == list(range(N))
    assert dict(samples.left_out)["Unnamed: 0"].startswith("the index of the table")
    labels = samples_from_table(there_and_back(frame.set_axis([3, 4, 8, 1, 2, 5])))
    assert labels.identities.label.tolist() == [3, 4, 8, 1, 2, 5]
    named = samples_from_table(there_and_back(frame.set_axis(list("abcdef"))))
    assert named.identities.label.tolist() == list("abcdef")


def test_a_known_name_with_other_values_is_a_measurement():
    assert learned(index=AREA / 3).feature_names == ("index", "area")


def test_a_named_column_is_learned_from():
    frame = pd.DataFrame({"TRACK_ID": [0, 0, 1, 1, 2, 2], "area": AREA})
    samples = samples_from_table(frame, columns=["TRACK_ID", "area"])
    assert samples.feature_names == ("TRACK_ID", "area")
    frame = pd.DataFrame({"label": range(1, 7), "area": AREA})
    samples = samples_from_table(frame, columns=["label", "area"], standardise=False)
    assert samples.X[:, 0].tolist() == samples.features["label"].tolist() == [1, 2, 3, 4, 5, 6]


def test_a_class_in_the_column_label_is_named_by_the_error():
    digits = pd.DataFrame({"label": [7, 2, 1, 0, 4, 1], "area": AREA})
    with pytest.raises(InvalidInputError, match=r"by column 'label'.* if it is a class"):
        samples_from_table(digits)
    with pytest.raises(InvalidInputError, match=r"by column 'label'.* if it is a class"):
        samples_from_table(digits.assign(label=list("aabbcc")))
    renamed = samples_from_table(digits.rename(columns={"label": "digit"}), columns=["area"])
    assert renamed.column("digit").tolist() == [7, 2, 1, 0, 4, 1]


def test_text_identifies_rows_by_a_column_or_by_the_index():
    frame = pd.DataFrame({"barcode": list("uvwxyz"), "area": AREA})
    for samples in (samples_from_table(frame), samples_from_table(frame.set_index("barcode"))):
        assert samples.identities.label.tolist() == list("uvwxyz")
        assert "barcode" not in samples.features
    named = samples_from_table(frame.rename(columns={"barcode": "it"}), label_column="it")
    assert named.identities.label.tolist() == list("uvwxyz")


def test_a_later_table_is_read_in_the_same_way():
    first = learned(ImageNumber=1, ObjectNumber=range(1, 7))
    later = pd.DataFrame({"ImageNumber": 2, "ObjectNumber": range(1, 7), "area": AREA * 2})
    again = first.same_way(later, source="later")
    assert again.identities.frame.tolist() == [2] * N
    assert again.identities.label.tolist() == [1, 2, 3, 4, 5, 6]


def test_objects_of_an_image_are_found_by_a_known_name():
    labels = np.zeros((8, 20), np.uint8)
    for place, label in enumerate([3, 4, 5, 6, 7, 9]):
        labels[2:5, 3 * place : 3 * place + 2] = label
    source = samples_from_labels(labels, labels, 3, features=False).sources["image"]
    table = pd.DataFrame({"ObjectNumber": [3, 4, 5, 6, 7, 9], "area": AREA})
    samples = samples_from_table(table, source=source)
    assert samples.identities.label.tolist() == [3, 4, 5, 6, 7, 9]
    with pytest.raises(InvalidInputError, match="label_column must be given"):
        samples_from_table(table[["area"]], source=Source("cells", "labels", axes="yx"))
