"use strict";
// The unit of frequencies on the page, chosen by the reader; data are in THz.

// one THz in each unit: h/e, 1/c and h/k_B of CODATA 2018; frequencies in another unit are wrong by what these are
softmode.UNITS = [
  { name: "THz", factor: 1, digits: 2 },
  { name: "cm⁻¹", factor: 33.3564095, digits: 1 },
  { name: "meV", factor: 4.13566770, digits: 2 },
  { name: "K", factor: 47.9924307, digits: 1 },
];

softmode.unit = softmode.UNITS[0];

/** Return a frequency as text in the chosen unit. */
softmode.frequency = (inTHz) => `${softmode.fixed(inTHz * softmode.unit.factor, softmode.unit.digits)} ${softmode.unit.name}`;

/** Return the switch between the units; `changed` is called after a change. */
softmode.unitSwitch = (changed) => {
  const { element } = softmode;
  const group = element("span", { class: "switch", role: "radiogroup", "aria-label": "Unit of frequencies" },
    softmode.UNITS.map((unit) => element("label", {},
      element("input", {
        type: "radio", name: "unit", value: unit.name, checked: unit === softmode.unit,
        onchange: () => { softmode.unit = unit; changed(); },
      }), element("span", {}, unit.name))));
  return group;
};
