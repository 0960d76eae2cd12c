namespace KestrelAcme.Testing.Faults;

/// <summary>Where <see cref="FaultyProxy"/> cuts the client's connection.</summary>
public enum CutPoint
{
    /// <summary>Nowhere.</summary>
    None,

    /// <summary>Before the server sees the request: it never happened.</summary>
    BeforeForwarding,

    /// <summary>After the server answered, before the client hears of it: it did happen.</summary>
    AfterForwarding,

    /// <summary>In the middle of the answer's body.</summary>
    InsideBody,
}
