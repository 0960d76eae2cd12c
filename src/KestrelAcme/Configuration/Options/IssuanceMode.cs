namespace KestrelAcme.Configuration;

/// <summary>Whether this instance orders certificates.</summary>
public enum IssuanceMode
{
    /// <summary>Orders, renews and serves. The default.</summary>
    Automatic,

    /// <summary>Serves what the store holds, follows its changes, and never orders: for the idle half of a blue/green pair, or for read replicas.</summary>
    ServeOnly,
}
