namespace KestrelAcme.Certificates;

/// <summary>What happened to a managed certificate.</summary>
public enum CertificateEventKind
{
    /// <summary>An order, or the renewal of a certificate, was begun.</summary>
    Started,

    /// <summary>The account at the authority is there.</summary>
    AccountReady,

    /// <summary>The order was placed.</summary>
    OrderPlaced,

    /// <summary>A challenge is answered, and the authority was told to look.</summary>
    ChallengePosted,

    /// <summary>The authority found a name under our control.</summary>
    AuthorizationValid,

    /// <summary>The certificate request was sent.</summary>
    Finalized,

    /// <summary>The first certificate was issued, stored, and is served from now on.</summary>
    Obtained,

    /// <summary>A successor was issued, stored, and is served from now on.</summary>
    Renewed,

    /// <summary>Another instance obtained the certificate; this one serves it from now on.</summary>
    Adopted,

    /// <summary>The authority advised another time for the renewal.</summary>
    RenewalInfoChanged,

    /// <summary>The certificate that is served was revoked, by us or by somebody else.</summary>
    Revoked,

    /// <summary>An attempt failed; the status says when the next is made.</summary>
    Failed,

    /// <summary>The certificate expired long ago and its names no longer lead here: nothing is ordered for it any more.</summary>
    Abandoned,
}
