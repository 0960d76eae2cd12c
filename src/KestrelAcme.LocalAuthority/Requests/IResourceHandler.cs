namespace KestrelAcme.LocalAuthority.Requests;

/// <summary>Handles the requests for one kind of resource. It must not block: validations run in the background.</summary>
internal interface IResourceHandler
{
    ResourceKind Resource { get; }

    AcmeResponse Handle(AcmeRequest request);
}
