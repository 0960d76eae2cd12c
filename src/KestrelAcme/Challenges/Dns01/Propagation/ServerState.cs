namespace KestrelAcme.Challenges.Dns01.Propagation;

/// <summary>What is known of one address of a name server.</summary>
internal enum ServerState
{
    /// <summary>It was not heard of yet, or answers without the value.</summary>
    Pending,

    /// <summary>It answers with the value.</summary>
    Visible,

    /// <summary>It is silent, or does not answer as an authority for the zone: a resolver would go on to another one.</summary>
    Unusable,
}
