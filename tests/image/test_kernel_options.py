from tests.image.kernel_options import options


def test_raspberry_pis_kernels_have_all_that_the_hub_needs() -> None:
    for option in options():
        assert option.why
        assert {option.bcm2711, option.bcm2712} <= set("ym?"), option.name


def test_an_option_is_listed_once() -> None:
    names = [option.name for option in options()]
    assert len(names) == len(set(names)) > 30


def test_debians_kernel_lacks_what_keeps_it_from_clinics() -> None:
    lacks = {option.name for option in options() if option.debian == "-"}
    assert lacks == {"SENSORS_RASPBERRYPI_HWMON", "BCM_VCIO", "PINCTRL_RP1", "RTC_DRV_RPI", "MMC_SDHCI_BRCMSTB"}
