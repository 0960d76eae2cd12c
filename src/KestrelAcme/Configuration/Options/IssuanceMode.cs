namespace KestrelAcme.Configuration;

/// <summary>Whether this instance orders certificates.</summary>
public enum IssuanceMode
{
    /// <summary>Orders, renews and serves certificates. The default.</summary>
    Automatic,

    /// <summary>
    /// Serves the certificates in the store, follows its changes, and never orders: for the idle half of a blue/green deployment, or for
    /// read replicas.
    /// </summary>
    ServeOnly,
}
