//! What a failed connection means.

use std::error::Error;
use std::io;
use std::sync::Arc;

use rustls::CertificateError as Certificate;

/// An error of PostgreSQL's or Redis' driver in the words of somebody who has to mend it: what is
/// wrong with the server's certificate, or all that the drivers say of anything else.
#[must_use]
pub fn explained(error: &(dyn Error + 'static)) -> String {
    let mut words: Vec<String> = Vec::new();
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found) = tls_fault(error) {
            return found;
        }
        let text = error.to_string();
        if text == "server does not support TLS" {
            return "the server has no TLS, and sslmode asks for it".to_owned();
        }
        if !words.iter().any(|said| said.contains(&text)) {
            words.push(text);
        }
        next = error.source();
    }
    words.join(": ")
}

/// What the handshake failed of, if this is it, in whatever wrapping.
fn tls_fault(error: &(dyn Error + 'static)) -> Option<String> {
    if let Some(error) = error.downcast_ref::<rustls::Error>() {
        return Some(fault(error));
    }
    if let Some(error) = error.downcast_ref::<Arc<dyn Error + Send + Sync>>() {
        return tls_fault(&**error);
    }
    // Its own `source` leaves the error out that it wraps.
    let inner = error.downcast_ref::<io::Error>()?.get_ref()?;
    tls_fault(inner)
}

fn fault(error: &rustls::Error) -> String {
    let rustls::Error::InvalidCertificate(problem) = error else {
        return match error {
            rustls::Error::InvalidMessage(_) => {
                "TLS failed: what answers does not speak it".to_owned()
            }
            error => format!("TLS failed: {error}"),
        };
    };
    let problem = match problem {
        Certificate::UnknownIssuer => {
            "it is of no authority that is trusted: is this the server's CA?".to_owned()
        }
        Certificate::NotValidForName | Certificate::NotValidForNameContext { .. } => {
            format!("it is for another host name ({problem})")
        }
        Certificate::Expired | Certificate::ExpiredContext { .. } => {
            format!("it has expired ({problem})")
        }
        Certificate::NotValidYet | Certificate::NotValidYetContext { .. } => {
            format!("it is not valid yet: is the clock right? ({problem})")
        }
        problem => problem.to_string(),
    };
    format!("the server's certificate will not do: {problem}")
}
