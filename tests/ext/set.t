# no set exists here
:INPUT,FORWARD,OUTPUT
-m set --match-set nothere src ; ; FAIL
-m set ! --match-set nothere src,dst ; ; FAIL
-m set --match-set nothere ; ; FAIL
-m set --match-set nothere --return-nomatch ; ; FAIL
-m set --set nothere dst ; ; FAIL
-m set --match-set a-name-longer-than-thirty-one-bytes src ; ; FAIL
-m set --return-nomatch ; ; FAIL
-m set --packets-eq x ; ; FAIL
-m set ! --bytes-lt 5 ; ; FAIL
-m set --packets-lt 5 --packets-gt 5 ; ; FAIL
-m set ; ; FAIL
