loalang_unit_test(ledger daemon)
loalang_unit_test(mqtt daemon)
