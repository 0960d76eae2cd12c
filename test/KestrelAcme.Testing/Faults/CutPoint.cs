namespace KestrelAcme.Testing.Faults;

/// <summary>When <see cref="FaultyProxy"/> closes the client's connection.</summary>
public enum CutPoint
{
    /// <summary>Never.</summary>
    None,

    /// <summary>Before the server sees the request: it is never processed.</summary>
    BeforeForwarding,

    /// <summary>After the server has responded but before the client receives it: the request is processed.</summary>
    AfterForwarding,

    /// <summary>In the middle of the response's body.</summary>
    InsideBody,
}
