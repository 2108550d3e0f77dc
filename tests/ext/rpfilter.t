*raw
:PREROUTING
-m rpfilter ; = ; OK
-m rpfilter --invert --loose ; -m rpfilter --loose --invert ; OK
-m rpfilter --accept-local --validmark ; -m rpfilter --validmark --accept-local ; OK
-m rpfilter ! --loose ; ; FAIL
:OUTPUT
-m rpfilter ; ; FAIL
*nat
:PREROUTING
-m rpfilter ; ; FAIL
