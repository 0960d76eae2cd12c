namespace KestrelAcme.Certificates.Model;

/// <summary>Examines the app, its CAs and its names, without placing an order.</summary>
internal interface IDoctor
{
    /// <summary>Examines everything. Each check has a time limit, and none fails.</summary>
    Task<DiagnosisReport> DiagnoseAsync(CancellationToken cancellationToken);

    /// <summary>
    /// Examines the names of a certificate after its first failed order, and adds what is wrong to the message of the failure. Never fails.
    /// </summary>
    Task FollowUpAsync(ManagedCertificate certificate, FailureRecord failure);
}

/// <summary>Returns the doctor, which is created when it is needed for the first time.</summary>
internal delegate IDoctor CallDoctor();
