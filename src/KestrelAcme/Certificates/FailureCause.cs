namespace KestrelAcme.Certificates;

/// <summary>
/// What caused a failure. KestrelAcme counts the causes separately: an outage of the CA does not delay a name, and a name that fails does
/// not delay other names.
/// </summary>
public enum FailureCause
{
    /// <summary>The name: the CA could not validate it, or refused the order.</summary>
    Name,

    /// <summary>The CA: it is unreachable, returns errors, or asks KestrelAcme to wait.</summary>
    Authority,

    /// <summary>
    /// Something that only an operator can fix, such as terms of service to accept, an external account binding, a CAA record, or a name
    /// that the CA does not issue for.
    /// </summary>
    Operator,

    /// <summary>This machine: its store, its clock, or its listener.</summary>
    Local,
}
