"""A recognizer that a flywheel has trained, for tests that ask one."""

from engine_testing.rig import Rig, entities_at, entity_task


def trained_recognizer(rig: Rig) -> tuple[str, str]:
    """Return a flywheel with a recognizer of cities as its active model, and the model."""
    flywheel = rig.flywheel(**entity_task(["CITY"]))
    texts = "".join(f"order {number} goes to Rome today\n" for number in range(250))
    config = entities_at(
        rig.put_text("recognizer/texts.txt", texts),
        EntityList=rig.put_text("recognizer/list.csv", "Text,Type\nRome,CITY\n"),
    )
    rig.ended_dataset(rig.begin_dataset(flywheel, "", InputDataConfig=config))
    model = rig.iterated(flywheel)["TrainedModelArn"]
    rig.comprehend.update_flywheel(FlywheelArn=flywheel, ActiveModelArn=model)
    return flywheel, model
