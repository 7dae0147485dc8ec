"""Where the person is, as far as terms differ by it: countries, states of the United States, and the groups that terms speak of.

Codes are those of ISO 3166-1 (countries) and ISO 3166-2 (states). Where the people in a picture live can't be known, and is not asked.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from types import MappingProxyType


class Region(enum.Enum):
    """A group of places that terms treat alike."""

    EUROPE = "europe"
    US = "us"
    ILLINOIS = "us-illinois"
    TEXAS = "us-texas"
    CANADA = "canada"
    ELSEWHERE = "elsewhere"


REGION_NAMES: Mapping[Region, str] = MappingProxyType(
    {
        Region.EUROPE: "European Economic Area, United Kingdom, Switzerland",
        Region.US: "United States",
        Region.ILLINOIS: "Illinois",
        Region.TEXAS: "Texas",
        Region.CANADA: "Canada",
        Region.ELSEWHERE: "Elsewhere",
    }
)

_IN_EUROPE = "AT AX BE BG CH CY CZ DE DK EE ES FI FR GB GR HR HU IE IS IT LI LT LU LV MT NL NO PL PT RO SE SI SK"
_EUROPE = frozenset(_IN_EUROPE.split())

_COUNTRIES = """
AF Afghanistan|AX Åland Islands|AL Albania|DZ Algeria|AS American Samoa|AD Andorra|AO Angola|AI Anguilla|AQ Antarctica
AG Antigua and Barbuda|AR Argentina|AM Armenia|AW Aruba|AU Australia|AT Austria|AZ Azerbaijan|BS Bahamas|BH Bahrain|BD Bangladesh
BB Barbados|BY Belarus|BE Belgium|BZ Belize|BJ Benin|BM Bermuda|BT Bhutan|BO Bolivia|BA Bosnia and Herzegovina|BW Botswana|BR Brazil
BN Brunei|BG Bulgaria|BF Burkina Faso|BI Burundi|CV Cabo Verde|KH Cambodia|CM Cameroon|CA Canada|KY Cayman Islands
CF Central African Republic|TD Chad|CL Chile|CN China|CO Colombia|KM Comoros|CG Congo|CD Congo (Democratic Republic)|CK Cook Islands
CR Costa Rica|CI Côte d’Ivoire|HR Croatia|CU Cuba|CW Curaçao|CY Cyprus|CZ Czechia|DK Denmark|DJ Djibouti|DM Dominica
DO Dominican Republic|EC Ecuador|EG Egypt|SV El Salvador|GQ Equatorial Guinea|ER Eritrea|EE Estonia|SZ Eswatini|ET Ethiopia
FK Falkland Islands|FO Faroe Islands|FJ Fiji|FI Finland|FR France|PF French Polynesia|GA Gabon|GM Gambia|GE Georgia|DE Germany|GH Ghana
GI Gibraltar|GR Greece|GL Greenland|GD Grenada|GU Guam|GT Guatemala|GG Guernsey|GN Guinea|GW Guinea-Bissau|GY Guyana|HT Haiti
HN Honduras|HK Hong Kong|HU Hungary|IS Iceland|IN India|ID Indonesia|IR Iran|IQ Iraq|IE Ireland|IM Isle of Man|IL Israel|IT Italy
JM Jamaica|JP Japan|JE Jersey|JO Jordan|KZ Kazakhstan|KE Kenya|KI Kiribati|KP Korea (North)|KR Korea (South)|KW Kuwait|KG Kyrgyzstan
LA Laos|LV Latvia|LB Lebanon|LS Lesotho|LR Liberia|LY Libya|LI Liechtenstein|LT Lithuania|LU Luxembourg|MO Macao|MG Madagascar|MW Malawi
MY Malaysia|MV Maldives|ML Mali|MT Malta|MH Marshall Islands|MR Mauritania|MU Mauritius|MX Mexico|FM Micronesia|MD Moldova|MC Monaco
MN Mongolia|ME Montenegro|MS Montserrat|MA Morocco|MZ Mozambique|MM Myanmar|NA Namibia|NR Nauru|NP Nepal|NL Netherlands|NC New Caledonia
NZ New Zealand|NI Nicaragua|NE Niger|NG Nigeria|NU Niue|MK North Macedonia|MP Northern Mariana Islands|NO Norway|OM Oman|PK Pakistan
PW Palau|PS Palestine|PA Panama|PG Papua New Guinea|PY Paraguay|PE Peru|PH Philippines|PL Poland|PT Portugal|PR Puerto Rico|QA Qatar
RO Romania|RU Russia|RW Rwanda|KN Saint Kitts and Nevis|LC Saint Lucia|VC Saint Vincent and the Grenadines|WS Samoa|SM San Marino
ST São Tomé and Príncipe|SA Saudi Arabia|SN Senegal|RS Serbia|SC Seychelles|SL Sierra Leone|SG Singapore|SX Sint Maarten|SK Slovakia
SI Slovenia|SB Solomon Islands|SO Somalia|ZA South Africa|SS South Sudan|ES Spain|LK Sri Lanka|SD Sudan|SR Suriname|SE Sweden
CH Switzerland|SY Syria|TW Taiwan|TJ Tajikistan|TZ Tanzania|TH Thailand|TL Timor-Leste|TG Togo|TO Tonga|TT Trinidad and Tobago
TN Tunisia|TR Türkiye|TM Turkmenistan|TC Turks and Caicos Islands|TV Tuvalu|UG Uganda|UA Ukraine|AE United Arab Emirates
GB United Kingdom|US United States (another state, or not said)|UY Uruguay|UZ Uzbekistan|VU Vanuatu|VA Vatican City|VE Venezuela
VN Vietnam|VG Virgin Islands (British)|VI Virgin Islands (U.S.)|YE Yemen|ZM Zambia|ZW Zimbabwe
"""
_STATES = """
AL Alabama|AK Alaska|AZ Arizona|AR Arkansas|CA California|CO Colorado|CT Connecticut|DE Delaware|DC District of Columbia|FL Florida
GA Georgia|HI Hawaii|ID Idaho|IL Illinois|IN Indiana|IA Iowa|KS Kansas|KY Kentucky|LA Louisiana|ME Maine|MD Maryland|MA Massachusetts
MI Michigan|MN Minnesota|MS Mississippi|MO Missouri|MT Montana|NE Nebraska|NV Nevada|NH New Hampshire|NJ New Jersey|NM New Mexico
NY New York|NC North Carolina|ND North Dakota|OH Ohio|OK Oklahoma|OR Oregon|PA Pennsylvania|RI Rhode Island|SC South Carolina
SD South Dakota|TN Tennessee|TX Texas|UT Utah|VT Vermont|VA Virginia|WA Washington|WV West Virginia|WI Wisconsin|WY Wyoming
"""


def _named(text: str) -> dict[str, str]:
    pairs = (each.partition(" ") for each in text.strip().replace("\n", "|").split("|"))
    return {code: name for code, _, name in pairs}


COUNTRIES: Mapping[str, str] = MappingProxyType(_named(_COUNTRIES))
US_STATES: Mapping[str, str] = MappingProxyType({f"US-{code}": f"United States, {name}" for code, name in _named(_STATES).items()})
PLACES: Mapping[str, str] = MappingProxyType({**COUNTRIES, **US_STATES})
"""Every place that can be chosen: its code and its name."""


def regions_of(place: str) -> tuple[Region, ...]:
    """The groups that `place` belongs to, the broad one first; none for a place that is not known, or not said."""
    if place not in PLACES:
        return ()
    if place.startswith("US"):
        state = {"US-IL": Region.ILLINOIS, "US-TX": Region.TEXAS}.get(place)
        return (Region.US, state) if state else (Region.US,)
    if place in _EUROPE:
        return (Region.EUROPE,)
    return (Region.CANADA,) if place == "CA" else (Region.ELSEWHERE,)
