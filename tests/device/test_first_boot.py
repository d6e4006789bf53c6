"""What a flashed card has become after its first start, seen from the clinic and by a technician."""

import re
import ssl
import urllib.request

import msgspec

from tests.device import card
from tests.device.conftest import EMAIL, PASSPHRASE, PASSWORD, WIFI_PASSWORD, paired
from tests.device.guest import Guest
from tests.image import raspios

PATIENT = ("Zibbelquorn", "Quicksandwich")


def report(board: Guest) -> dict[str, str]:
    found = msgspec.json.decode(board.ssh("cat /run/hikma-hub-firstboot.json"), type=dict[str, str | None])
    return {name: value or "" for name, value in found.items()}


def test_a_phone_pairs_signs_in_and_syncs_with_the_hub_in_the_board(board: Guest) -> None:
    first, second = board.phone(1), paired(board, 2)
    first.pair(board.hub("pairing show"), check_pk=True)
    first.login(EMAIL, PASSWORD)
    patient = first.create("patients", {"given_name": PATIENT[0], "surname": PATIENT[1]})
    assert first.sync().ok
    outcome = second.sync()
    assert outcome.ok, outcome.error
    found = second.store.find("patients", str(patient["id"]))
    assert found is not None
    assert found["surname"] == PATIENT[1]


def test_the_file_is_applied(board: Guest) -> None:
    assert board.ssh("cat /etc/hostname").strip() == "nord-sud"
    assert board.ssh("readlink /etc/localtime").strip() == "/usr/share/zoneinfo/Asia/Amman"
    assert board.phone(9).pair({"type": "sync_hub", "url": board.url()}).name == "Nord Süd عيادة"
    assert f"psk={WIFI_PASSWORD}" in board.ssh("cat /etc/NetworkManager/system-connections/hikma-wifi-0.nmconnection")
    assert board.ssh("nmcli -g connection.id connection show hikma-wifi-0").strip() == "hikma-wifi-0"
    assert [user["email"] for user in board.hub("user list")] == [EMAIL]


def test_the_secrets_have_left_the_boot_partition(board: Guest) -> None:
    board.ssh("sync")
    text = card.on_boot_partition(board.card, "hikma-hub.toml").decode()
    assert 'name = "Clinic"' in text
    with board.card.open("rb") as file:
        boot = file.read(card.BOOT_ENDS)
    for secret in (WIFI_PASSWORD, PASSWORD, PASSPHRASE):
        assert secret not in text
        assert secret.encode() not in boot, "it still lies in the blocks of the boot partition"


def test_the_card_without_its_key_gives_no_patient_away(board: Guest) -> None:
    board.ssh("sync")
    assert board.ssh("lsblk -rno TYPE /dev/mapper/hikma-data").split()[0] == "crypt"
    assert board.ssh("findmnt -no SOURCE /var/lib/hikma-hub").startswith("/dev/mapper/hikma-data")
    needles = [word.encode() for word in (*PATIENT, WIFI_PASSWORD)]
    for chunk in card.written(board.card):
        assert not [needle for needle in needles if needle in chunk]


def test_the_kernel_has_the_cipher_of_boards_without_aes(board: Guest) -> None:
    done = board.ssh(
        "cd /run && truncate -s 32M vault && head -c 32 /dev/urandom >vault.key && "
        "cryptsetup luksFormat -q --type luks2 --cipher xchacha12,aes-adiantum-plain64 --key-size 256 "
        "--sector-size 4096 --pbkdf pbkdf2 --pbkdf-force-iterations 1000 --key-file vault.key vault && "
        "cryptsetup open --key-file vault.key vault test-vault && cryptsetup status test-vault; "
        "cryptsetup close test-vault; rm -f vault vault.key"
    )
    assert "xchacha12,aes-adiantum-plain64" in done


def test_the_recovery_passphrase_opens_the_data(board: Guest) -> None:
    command = "cryptsetup open --test-passphrase --key-file - /dev/vda4 && echo opened"
    assert board.ssh(command, stdin=PASSPHRASE).endswith("opened\n")


def test_nothing_failed_to_start(board: Guest) -> None:
    assert board.ssh("systemctl --failed --no-legend --plain").strip() == ""
    for unit in ("hikma-hub", "nftables", "NetworkManager", "chrony"):
        assert board.ssh(f"systemctl is-active {unit}").strip() == "active", unit


def test_the_root_is_not_written(board: Guest) -> None:
    assert "ro" in board.ssh("findmnt -no OPTIONS /").split(",")
    assert "ro" in board.ssh("findmnt -no OPTIONS /boot/firmware").split(",")
    assert board.ssh("swapon --show").strip() == ""


def test_the_page_answers_over_tls_with_this_cards_certificate(board: Guest) -> None:
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    url = f"https://127.0.0.1:{board.ports['https']}/"
    with urllib.request.urlopen(url, context=context, timeout=60) as answer:
        assert answer.status == 200
        assert b"<html" in answer.read().lower()
    pem = ssl.get_server_certificate(("127.0.0.1", board.ports["https"]))
    assert report(board)["certificate"].replace(":", "") in _sha256(pem)


def test_only_the_named_ports_are_open(board: Guest) -> None:
    assert board.ssh("systemctl is-active ssh").strip() == "active"
    listening = board.ssh("ss -Hltn").splitlines()
    outside = {line.split()[3].rsplit(":", 1)[1] for line in listening if not line.split()[3].startswith("127.")}
    assert outside <= {"22", "4001", "4443", "53"}
    rules = board.ssh("nft list set inet hikma services")
    assert set(re.findall(r"\b\d+\b", rules.split("elements")[1])) == {"22", "4001", "4443", "4444"}


def test_nobody_can_sign_in_with_a_password(board: Guest) -> None:
    assert [line for line in board.ssh("cat /etc/shadow").splitlines() if line.split(":")[1][:1] not in "!*"] == []
    assert "passwordauthentication no" in board.ssh("/usr/sbin/sshd -T")


def test_the_weekly_trim_is_of_the_data_partition(board: Guest) -> None:
    # Whether the emulated card takes it is another matter: fstrim says nothing where it does not.
    board.ssh("systemctl start fstrim")
    shown = board.ssh("systemctl show -p Result -p ExecStart fstrim")
    assert "Result=success" in shown
    assert "/data" in shown


def test_the_sandbox_of_the_running_hub_is_tight(board: Guest) -> None:
    for unit in ("hikma-hub.service", "hikma-hub-lights.service"):
        score = re.search(
            r"exposure level for \S+: ([\d.]+)", board.ssh(f"systemd-analyze security --no-pager {unit} | tail -2")
        )
        assert score
        assert float(score[1]) <= 1.5


def test_the_hub_fits_a_board_of_512_mb(board: Guest) -> None:
    used = int(board.ssh("systemctl show -P MemoryCurrent hikma-hub"))
    assert used < 288 * 1024**2
    assert board.ssh("systemctl show -P NRestarts hikma-hub").strip() == "0"


def test_a_hung_hub_is_restarted_by_its_watchdog(board: Guest) -> None:
    board.ssh("systemctl set-property --runtime hikma-hub CPUWeight=100")
    board.ssh("mkdir -p /run/systemd/system/hikma-hub.service.d")
    board.ssh("printf '[Service]\\nWatchdogSec=20\\n' >/run/systemd/system/hikma-hub.service.d/fast.conf")
    board.ssh("systemctl daemon-reload && systemctl restart hikma-hub")
    pid = board.ssh("systemctl show -P MainPID hikma-hub").strip()
    board.ssh(f"kill -STOP {pid}")
    board.ssh(f"timeout 120 sh -c 'while [ -d /proc/{pid} ]; do sleep 1; done'")
    board.wait_until_ready()
    assert board.ssh("systemctl show -P MainPID hikma-hub").strip() != pid
    assert "watchdog" in board.ssh("journalctl -u hikma-hub --no-pager | tail -40").lower()
    board.ssh("rm -r /run/systemd/system/hikma-hub.service.d && systemctl daemon-reload")


def test_first_boot_run_again_changes_nothing(board: Guest) -> None:
    before = report(board)
    board.ssh("hikma-hub firstboot")
    assert report(board) == before
    board.wait_until_ready()


def test_the_doctor_says_pass_or_fail_of_each_part_of_the_box_and_where_the_key_is(board: Guest) -> None:
    told = msgspec.json.decode(board.ssh("hikma-hub doctor --box --json", check=False))
    found = {check["check"]: (check["result"], check["detail"]) for check in told}
    measured = {"card speed", "card errors", "clock", "encryption", "database", "writing"}
    assert {name for name in measured if found[name][0] not in {"pass", "fail"}} == set()
    for sound in measured - {"card speed"}:  # emulated, nothing is fast
        assert found[sound][0] == "pass", found[sound]
    assert "in a file on the same card" in found["encryption"][1]
    for absent in ("supply under load", "temperature under load", "radio"):
        assert found[absent][0] == "not measured", found[absent]


def test_the_label_holds_what_is_needed_beside_the_box(board: Guest) -> None:
    page = board.ssh("hikma-hub label --output /tmp/label.html >/dev/null && cat /tmp/label.html")
    told = report(board)
    for word in ("Nord Süd عيادة", "<svg", "Hikma Nord", told["access_point_password"]):
        assert word
        assert word in page


def _sha256(pem: str) -> str:
    printed = card.run("openssl", "x509", "-noout", "-fingerprint", "-sha256", stdin=pem.encode())
    return printed.decode().replace(":", "").upper()


def test_nothing_but_the_hub_sets_up_a_card_of_raspberry_pi_os(board: Guest) -> None:
    assert raspios.RAN not in board.ssh("journalctl -b --no-pager")
    assert board.ssh("awk -F: '$3 >= 1000 && $3 < 60000 {print $1}' /etc/passwd").split() == ["technician"]
    assert board.ssh("ls /home").split() == ["technician"]
