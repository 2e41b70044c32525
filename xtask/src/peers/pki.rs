//! A throw-away authority and certificates, made by the `openssl` command: keys live as long as the
//! session folder and are trusted by nobody.

use std::path::{Path, PathBuf};

use anyhow::Result;

use crate::command::Command;

/// Whether a certificate's period of validity is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Period {
    /// It ended years ago.
    Past,
    /// It runs for about three more months.
    Present,
}

/// A certificate with its key, as files.
#[derive(Clone, Debug)]
pub(crate) struct Certificate {
    /// The certificate, PEM.
    pub(crate) chain: PathBuf,
    /// Its key, PEM.
    pub(crate) key: PathBuf,
}

/// The authority and the folder with its files.
#[derive(Debug)]
pub(crate) struct Authority {
    folder: PathBuf,
}

const CONFIG: &str = "\
[ca]
default_ca = here
[here]
new_certs_dir = .
database = index.txt
rand_serial = yes
default_md = sha256
policy = any
copy_extensions = none
unique_subject = no
[any]
commonName = supplied
";

impl Authority {
    /// Makes a root in `folder`.
    ///
    /// # Errors
    /// When openssl fails.
    pub(crate) fn new(folder: &Path) -> Result<Self> {
        std::fs::create_dir_all(folder)?;
        std::fs::write(folder.join("ca.conf"), CONFIG)?;
        std::fs::write(folder.join("index.txt"), "")?;
        let authority = Self { folder: folder.to_path_buf() };
        authority.openssl(
            "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout root.key -out root.pem \
             -days 3650 -subj /CN=Waxseal-peer-test-root -addext keyUsage=critical,keyCertSign,cRLSign",
        )?;
        Ok(authority)
    }

    /// The root certificate, PEM.
    pub(crate) fn root(&self) -> PathBuf {
        self.folder.join("root.pem")
    }

    /// A certificate for `name` signed by the root.
    ///
    /// # Errors
    /// When openssl fails.
    pub(crate) fn certificate(&self, name: &str, period: Period) -> Result<Certificate> {
        let (file, dates) = match period {
            Period::Past => {
                (format!("{name}-past"), "-startdate 20200101000000Z -enddate 20200401000000Z")
            }
            Period::Present => (format!("{name}-present"), "-days 85"),
        };
        let extensions = format!(
            "basicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature\n\
             extendedKeyUsage=serverAuth\nsubjectAltName=DNS:{name}\n\
             subjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n"
        );
        std::fs::write(self.folder.join("leaf.ext"), extensions)?;
        self.openssl(&format!(
            "req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout {file}.key -out {file}.csr \
             -subj /CN={name}"
        ))?;
        self.openssl(&format!(
            "ca -batch -notext -config ca.conf -cert root.pem -keyfile root.key -in {file}.csr \
             -out {file}.pem -extfile leaf.ext {dates}"
        ))?;
        let path = |ending: &str| self.folder.join(format!("{file}.{ending}"));
        Ok(Certificate { chain: path("pem"), key: path("key") })
    }

    fn openssl(&self, arguments: &str) -> Result<()> {
        let run = Command::new("openssl").args(arguments.split_whitespace()).folder(&self.folder);
        run.output()?.success("making certificates")?;
        Ok(())
    }
}
