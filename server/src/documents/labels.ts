import type { DetailWord } from "./invoice-document.js";

/** Every word that a document prints by itself. Names, descriptions and notes are the organization's. */
export interface Labels {
  readonly details: Readonly<Record<DetailWord, string>>;
  readonly invoice: string;
  readonly creditNote: string;
  readonly draft: string;
  readonly issued: string;
  readonly due: string;
  readonly corrects: string;
  readonly buyerReference: string;
  readonly billTo: string;
  readonly from: string;
  readonly taxId: string;
  readonly description: string;
  readonly quantity: string;
  readonly unitPrice: string;
  readonly tax: string;
  readonly amount: string;
  readonly per: string;
  readonly tierFirst: string;
  readonly tierAbove: string;
  readonly tierOnly: string;
  readonly tierNext: string;
  readonly fee: string;
  readonly subtotal: string;
  readonly total: string;
  readonly on: string;
  readonly contains: string;
  readonly amountDue: string;
  readonly credited: string;
  readonly by: string;
  readonly nothingDue: string;
  readonly reverseCharge: string;
  readonly exempt: string;
  readonly intraCommunity: string;
  readonly payment: string;
  readonly paymentReference: string;
  readonly notes: string;
  readonly page: string;
  readonly of: string;
  readonly moreLines: string;
  readonly moreDetails: string;
  readonly moreNotes: string;
  readonly missingCharacters: string;
}

const english: Labels = {
  details: {
    flat: "Flat fee",
    packages: "{packages} packages of {size}",
    percentage: "{percent} % of the value of {events} events",
    percentageFree: "{events} events, free",
    percentageMinimum: "{events} events at their minimum",
    percentageMaximum: "{events} events at their maximum",
    converted: "Converted from {quantity}",
    otherValues: "Other values",
    eventPrices: "Prices of the events, times {multiplier}",
    window: "Window {position}",
    change: "Change {position}: {units} units",
    tierFee: "Fee of the tier up to {upTo}",
    lastTierFee: "Fee of the last tier",
    floor: "Raised to zero",
  },
  invoice: "Invoice",
  creditNote: "Credit note",
  draft: "Draft",
  issued: "Issued",
  due: "Due",
  corrects: "Corrects invoice",
  buyerReference: "Your reference",
  billTo: "Bill to",
  from: "From",
  taxId: "Tax ID",
  description: "Description",
  quantity: "Quantity",
  unitPrice: "Unit price",
  tax: "Tax",
  amount: "Amount",
  per: "per {count}",
  tierFirst: "First {upTo}",
  tierNext: "Above {from} to {upTo}",
  tierAbove: "Above {from}",
  tierOnly: "All",
  fee: "fee {amount}",
  subtotal: "Subtotal",
  total: "Total",
  on: "{name} {percent} on {amount}",
  contains: "contains {name} {percent} on {amount}",
  amountDue: "Amount due",
  credited: "Credited to you",
  by: "by {date}",
  nothingDue: "Nothing is due",
  reverseCharge: "Reverse charge: the recipient of the service owes the tax.",
  exempt: "No tax is charged: the supply is exempt or outside the scope of tax.",
  intraCommunity: "Intra-Community supply: the recipient owes the tax.",
  payment: "Payment",
  paymentReference: "Reference {reference}",
  notes: "Notes",
  page: "Page",
  of: "of",
  moreLines: "{count} more lines, not shown here, together",
  moreDetails: "{count} more",
  moreNotes: "{count} more notes",
  missingCharacters:
    "\uFFFD stands for a character that this PDF cannot print; the same invoice as HTML shows it.",
};

const german: Labels = {
  details: {
    flat: "Pauschale",
    packages: "{packages} Pakete zu {size}",
    percentage: "{percent} % vom Wert von {events} Ereignissen",
    percentageFree: "{events} Ereignisse, frei",
    percentageMinimum: "{events} Ereignisse zum Mindestbetrag",
    percentageMaximum: "{events} Ereignisse zum Höchstbetrag",
    converted: "Umgerechnet aus {quantity}",
    otherValues: "Andere Werte",
    eventPrices: "Preise der Ereignisse, mal {multiplier}",
    window: "Zeitfenster {position}",
    change: "Änderung {position}: {units} Einheiten",
    tierFee: "Gebühr der Stufe bis {upTo}",
    lastTierFee: "Gebühr der letzten Stufe",
    floor: "Auf null angehoben",
  },
  invoice: "Rechnung",
  creditNote: "Gutschrift",
  draft: "Entwurf",
  issued: "Rechnungsdatum",
  due: "Fällig am",
  corrects: "Zu Rechnung",
  buyerReference: "Ihre Referenz",
  billTo: "Rechnung an",
  from: "Von",
  taxId: "USt-IdNr.",
  description: "Beschreibung",
  quantity: "Menge",
  unitPrice: "Einzelpreis",
  tax: "Steuer",
  amount: "Betrag",
  per: "je {count}",
  tierFirst: "Die ersten {upTo}",
  tierNext: "Über {from} bis {upTo}",
  tierAbove: "Über {from}",
  tierOnly: "Alle",
  fee: "Gebühr {amount}",
  subtotal: "Zwischensumme",
  total: "Gesamtbetrag",
  on: "{name} {percent} auf {amount}",
  contains: "enthält {name} {percent} auf {amount}",
  amountDue: "Zu zahlen",
  credited: "Ihr Guthaben",
  by: "bis {date}",
  nothingDue: "Es ist nichts zu zahlen",
  reverseCharge: "Steuerschuldnerschaft des Leistungsempfängers (Reverse Charge).",
  exempt: "Es wird keine Steuer berechnet: Die Leistung ist steuerfrei oder nicht steuerbar.",
  intraCommunity: "Innergemeinschaftliche Lieferung: steuerfrei.",
  payment: "Zahlung",
  paymentReference: "Verwendungszweck {reference}",
  notes: "Hinweise",
  page: "Seite",
  of: "von",
  moreLines: "{count} weitere, hier nicht gezeigte Positionen, zusammen",
  moreDetails: "{count} weitere",
  moreNotes: "{count} weitere Hinweise",
  missingCharacters:
    "\uFFFD steht für ein Zeichen, das dieses PDF nicht drucken kann; dieselbe Rechnung zeigt es als HTML.",
};

const french: Labels = {
  details: {
    flat: "Forfait",
    packages: "{packages} lots de {size}",
    percentage: "{percent} % de la valeur de {events} événements",
    percentageFree: "{events} événements, gratuits",
    percentageMinimum: "{events} événements au minimum",
    percentageMaximum: "{events} événements au maximum",
    converted: "Converti de {quantity}",
    otherValues: "Autres valeurs",
    eventPrices: "Prix des événements, multipliés par {multiplier}",
    window: "Fenêtre {position}",
    change: "Changement {position} : {units} unités",
    tierFee: "Forfait de la tranche jusqu’à {upTo}",
    lastTierFee: "Forfait de la dernière tranche",
    floor: "Ramené à zéro",
  },
  invoice: "Facture",
  creditNote: "Avoir",
  draft: "Brouillon",
  issued: "Date d’émission",
  due: "Échéance",
  corrects: "Rectifie la facture",
  buyerReference: "Votre référence",
  billTo: "Facturé à",
  from: "De",
  taxId: "N° TVA",
  description: "Désignation",
  quantity: "Quantité",
  unitPrice: "Prix unitaire",
  tax: "TVA",
  amount: "Montant",
  per: "les {count}",
  tierFirst: "Les {upTo} premiers",
  tierNext: "Au-delà de {from}, jusqu’à {upTo}",
  tierAbove: "Au-delà de {from}",
  tierOnly: "Tous",
  fee: "forfait {amount}",
  subtotal: "Sous-total",
  total: "Total",
  on: "{name} {percent} sur {amount}",
  contains: "dont {name} {percent} sur {amount}",
  amountDue: "Montant à payer",
  credited: "À votre crédit",
  by: "avant le {date}",
  nothingDue: "Rien à payer",
  reverseCharge: "Autoliquidation : la taxe est due par le preneur.",
  exempt: "Aucune taxe n’est facturée : l’opération est exonérée ou hors du champ d’application.",
  intraCommunity: "Livraison intracommunautaire : exonérée de TVA.",
  payment: "Paiement",
  paymentReference: "Référence {reference}",
  notes: "Remarques",
  page: "Page",
  of: "sur",
  moreLines: "{count} autres lignes, non affichées ici, au total",
  moreDetails: "{count} autres",
  moreNotes: "{count} autres remarques",
  missingCharacters:
    "\uFFFD remplace un caractère que ce PDF ne peut pas imprimer ; la même facture en HTML l’affiche.",
};

const dictionary: Readonly<Record<string, Labels>> = { en: english, de: german, fr: french };

/** The language that a locale's labels are in: its own when there is a dictionary, else English. */
export function languageOf(locale: string): string {
  const language = locale.split("-")[0] ?? "";
  return Object.hasOwn(dictionary, language) ? language : "en";
}

export function labelsOf(locale: string): Labels {
  return dictionary[languageOf(locale)] ?? english;
}

/** Puts values in the places of a label: "by {date}". */
export function fill(label: string, values: Readonly<Record<string, string>>): string {
  return label.replace(/\{(\w+)\}/g, (place, name: string) => values[name] ?? place);
}
