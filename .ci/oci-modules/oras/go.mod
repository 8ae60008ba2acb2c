module entrepot.test/oras

go 1.26

require oras.land/oras v1.2.3
