from hub.firstboot import retirement, steps
from tests.firstboot.flashed import Flashed, card

__all__ = ["card"]


def test_a_retired_box_has_no_key_left_and_the_keys_go_first(card: Flashed) -> None:
    card.put('[hub]\nname = "North"\n[ssh]\nkey = "ssh-ed25519 AAAA x"\n')
    card.boot()
    steps.run(card)  # on, and open
    told = list(retirement.erase(card))
    assert told[0] == "The keys of the data are destroyed."
    commands = [command for command in card.commands if command.startswith(("cryptsetup erase", "blkdiscard"))]
    assert commands == [
        "cryptsetup erase --batch-mode /dev/card4",
        "blkdiscard --force --zeroout /dev/card3",  # the other system, which has the same keys
        "blkdiscard --force /dev/card4",
    ]
    root = card.root
    left = [*(root / "etc/ssh/hub").iterdir(), *(root / "etc/ssh/authorized_keys").iterdir()]
    assert left == []
    assert not (root / "etc/hikma-hub/data.key").exists()
    assert not (root / "etc/hikma-hub/data-partition").exists()
    assert not (root / "boot/firmware/hikma-hub.toml").exists()
    assert (root / "etc/machine-id").read_text() == ""
