# no set exists here
:INPUT,FORWARD,OUTPUT
-j SET ; ; FAIL
-j SET --exist ; ; FAIL
-j SET --timeout 5 ; ; FAIL
-j SET --timeout 4294967295 ; ; FAIL
-j SET --map-mark ; ; FAIL
-j SET --add-set nothere src ; ; FAIL
-j SET --del-set nothere ; ; FAIL
-j SET --map-set nothere src --map-mark ; ; FAIL
-j SET --add-set a-name-longer-than-thirty-one-bytes src ; ; FAIL
